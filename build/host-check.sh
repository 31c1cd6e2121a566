#!/usr/bin/env bash
# Checks a running host of this app from outside, whichever it is: LocalHost, Core Tools, or Azure. One line a check, then the count.
#
#   build/host-check.sh [--start COMMAND | --kill COMMAND | --local] [BASE_URL] [FUNCTION_KEY]
#
# BASE_URL      the host, http://localhost:7071 unless given, or https://<app>.azurewebsites.net
# FUNCTION_KEY  where callers need one
# --start       starts the host by COMMAND, kills it (SIGKILL, with all that it started) while a sync runs, starts it again, stops it
# --kill        kills the host by COMMAND while a sync runs; somebody else starts it again
# --local       --start for LocalHost as it was built, with a folder of its own
#
# It makes users and deletes them again. Consent is given where the sandbox is; at Basiq itself only a person can, and what follows
# from it is skipped. Needs bash and curl. Exits 0 when no check failed.
set -uo pipefail

start='' kill='' key='' host_pid=''
work=$(mktemp -d)
trap 'stop_host; rm -rf "$work"' EXIT
base=http://localhost:7071
local_host=false

while [ $# -gt 0 ]; do
  case $1 in
    --start) start=${2:?--start needs a command}; shift 2 ;;
    --kill) kill=${2:?--kill needs a command}; shift 2 ;;
    --local) local_host=true; shift ;;
    -h | --help) sed -n '2,/^set /s/^# \{0,1\}//p' "$0"; exit 0 ;;
    -*) echo "There is no option $1: see --help." >&2; exit 2 ;;
    *) break ;;
  esac
done
base=${1:-$base}
base=${base%/}
base=${base%/api}
key=${2:-}
api=$base/api

if $local_host; then
  port=${base##*:}
  here=$(cd "$(dirname "$0")/.." && pwd)
  start="exec dotnet run --no-build --project '$here/BasiqFunctions.LocalHost' -- --urls $base --Sandbox:Url http://localhost:$((port + 1))"
  start+=" --LocalHost:StateDirectory '$work/state' --Sandbox:JobDuration 00:00:03"
fi

passed=0 failed=0 skipped=0
pass() { passed=$((passed + 1)); printf 'ok    %s\n' "$1"; }
fail() { failed=$((failed + 1)); printf 'FAIL  %s: %s\n' "$1" "$2"; }
skip() { skipped=$((skipped + 1)); printf 'skip  %s: %s\n' "$1" "$2"; }

# The host, when it is ours to start and stop.
start_host() {
  set -m
  bash -c "$start" >>"$work/host.log" 2>&1 </dev/null &
  host_pid=$!
  set +m
}
stop_host() {
  [ -n "$host_pid" ] || return 0
  kill -KILL -- "-$host_pid" 2>/dev/null
  wait "$host_pid" 2>/dev/null
  host_pid=''
}

# ask METHOD PATH [curl arguments]: leaves the status in $status, the body in $body, and the headers, one a line, in $work/headers.
ask() {
  local method=$1 path=$2
  shift 2
  [ "$method" = HEAD ] && set -- --head "$@" || set -- --request "$method" "$@"
  : >"$work/headers"
  : >"$work/body"
  status=$(curl --silent --max-time 60 --path-as-is --dump-header "$work/headers" --output "$work/body" --write-out '%{http_code}' \
    ${key:+--header "x-functions-key: $key"} "$@" "$api/$path")
  tr -d '\r' <"$work/headers" >"$work/lines" && mv "$work/lines" "$work/headers"
  body=$(tr -d '\0' <"$work/body")
}
send() { # METHOD PATH JSON
  local method=$1 path=$2 json=$3
  ask "$method" "$path" --header 'Content-Type: application/json' --data-binary "$json"
}

# is NAME STATUS [TEXT]: whether the last answer had a status (or one of several, as 404|405) and, where given, a text in its body.
is() {
  local name=$1 statuses=$2 text=${3:-}
  case "|$statuses|" in
    *"|$status|"*) ;;
    *) fail "$name" "answered $status, not $statuses. $(head -c 300 <<<"$body")"; return 1 ;;
  esac
  if [ -n "$text" ] && [[ $body != *"$text"* ]]; then
    fail "$name" "has no $text. $(head -c 300 <<<"$body")"
    return 1
  fi
  pass "$name ($status)"
}
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$body" | sed 's/\\u0026/\&/g'; }
header() { sed -n "s/^$1: //Ip" "$work/headers"; }

# Each of the headers is there, once: a host and the app may both set them.
has_headers() {
  local name=$1 expected line found
  for expected in 'cache-control: no-store' 'x-content-type-options: nosniff' 'referrer-policy: no-referrer' \
    "content-security-policy: default-src 'none'; frame-ancestors 'none'"; do
    line=${expected%%:*}
    found=$(header "$line")
    [ "$found" = "${expected#*: }" ] || { fail "$name" "$line is '${found//$'\n'/', and again '}', not '${expected#*: }'"; return 1; }
  done
  pass "$name"
}

wait_for_health() {
  local deadline=$((SECONDS + ${PATIENCE:-180}))
  while [ "$SECONDS" -lt "$deadline" ]; do
    ask GET health
    [ "$status" = 200 ] && return
    if [ -n "$host_pid" ] && ! kill -0 "$host_pid" 2>/dev/null; then
      tail -n 20 "$work/host.log" >&2
      return 1
    fi
    sleep 0.5
  done
  return 1
}

user() { # LOGIN: a user, and a link to the consent page
  send POST users "{\"email\":\"host-check@example.com\",\"firstName\":\"Host\"}"
  user_id=$(field id)
  send POST "users/$user_id/consent-link" '{}'
  link=$(field url)
}
is_sandbox() { case $link in http://localhost* | http://127.0.0.1* | "$base"*) ;; *) return 1 ;; esac; }
consent() { # LOGIN PASSWORD: what a browser does on the sandbox's page; leaves where it is sent back to in $back
  local token=${link##*[?&]token=} state=${link##*[?&]state=}
  back=$(curl --silent --max-time 60 --output /dev/null --write-out '%{redirect_url}' "${link%%\?*}" --data "token=${token%%&*}" --data "state=${state%%&*}" \
    --data institutionId=AU00000 --data "loginId=$1" --data "password=$2" --data finish=1)
  ask GET "consent/return?${back#*\?}"
  sync_id=$(field syncId)
}
wait_for_sync() { # until it has ended
  local deadline=$((SECONDS + ${PATIENCE:-180}))
  while [ "$SECONDS" -lt "$deadline" ]; do
    ask GET "users/$user_id/syncs/$sync_id"
    [[ $status = 200 && $body =~ \"status\":\"(waiting-for-bank|fetching)\" ]] || return
    sleep 1
  done
}
delete_user() { ask DELETE "users/$user_id"; }

check_edges() {
  ask GET health
  is 'health' 200 '"status"' && has_headers 'the headers of a function'
  local get_type
  get_type=$(header content-type)
  ask HEAD health
  if is 'HEAD of health' 200; then
    [ "$(header content-type)" = "$get_type" ] && has_headers 'the headers of an answer to HEAD' || fail 'HEAD of health' "says '$(header content-type)', and GET '$get_type'"
  fi
  ask GET nowhere
  is 'an unknown route' 404 && has_headers 'the headers of an unknown route'
  ask PUT users
  is 'a verb that a route does not have' '404|405' && has_headers 'the headers of a wrong verb'
  if [ -n "$key" ]; then
    local kept=$key
    key=''
    ask GET users/somebody
    is 'no key' 401 && has_headers 'the headers without a key'
    key=$kept-and-more
    ask GET users/somebody
    is 'a wrong key' 401
    key=$kept
  else
    skip 'no key' 'no function key was given'
  fi
  status=$(curl --silent --max-time 60 --output "$work/body" --write-out '%{http_code}' "$base/")
  grep -q 'Function App is up and running' "$work/body" && fail 'the root' 'shows the page of the Functions host' || pass "the root is not the Functions host's page ($status)"
  ask OPTIONS users --header 'Origin: https://elsewhere.example' --header 'Access-Control-Request-Method: POST'
  [ -z "$(header 'access-control-allow-origin')" ] && pass "no other origin is allowed anything ($status)" || fail 'another origin' 'is allowed to call'
}

spaces() { head -c "$1" /dev/zero | tr '\0' ' ' >"$work/large"; }
check_bodies() {
  local json='Content-Type: application/json'
  send POST users '{"email":'
  is 'broken JSON' 400 '"code":"invalid-input"' && has_headers 'the headers of a problem'
  send POST users '{"email":"host-check@example.com","colour":"red"}'
  is 'an unknown property' 400 '"colour"'
  ask POST users --header 'Content-Type: text/plain' --data-binary '{"email":"host-check@example.com"}'
  is 'another content type' 415 '"code":"unsupported-media-type"'
  spaces 65537
  ask POST users --header "$json" --header 'Expect:' --data-binary "@$work/large"
  is 'a body of 64 KiB and a byte' 413 '"code":"body-too-large"' && has_headers 'the headers of a body that is too large'
  ask POST users --header "$json" --header 'Expect:' --header 'Transfer-Encoding: chunked' --data-binary "@$work/large"
  is 'the same in chunks' 413 '"code":"body-too-large"'
  spaces 33554432
  local kept=$key
  key=''
  ask POST webhooks/basiq --header "$json" --header 'Expect:' --data-binary "@$work/large"
  is 'a body of 32 MiB from anybody' '413|500'
  ask POST webhooks/basiq --header "$json" --header 'Expect:' --header 'Transfer-Encoding: chunked' --data-binary "@$work/large"
  # A host that reads no further may close the connection instead: no answer.
  is 'the same in chunks' '413|500|000'
  key=$kept
  send POST webhooks/basiq '{}'
  is 'a webhook that nobody signed' '401|503' '"code":'
  ask GET health
  is 'health after all that' 200
}

check_journey() {
  user
  if [ -z "$user_id" ]; then
    fail 'CreateUser' "answered $status: $(head -c 300 <<<"$body")"
    return
  fi
  pass 'CreateUser'
  ask GET "users/$user_id"
  is 'GetUser' 200 'host-check@example.com'
  ask HEAD "users/$user_id"
  is 'HEAD of a user' 200
  send PATCH "users/$user_id" '{"firstName":"Checked"}'
  is 'UpdateUser' 200 Checked
  ask POST "users/$user_id/client-token"
  is 'CreateClientToken' 200 '"access_token"'
  [ -n "$link" ] && pass 'CreateConsentLink' || fail 'CreateConsentLink' 'gave no url'
  ask GET 'consent/return?state=forged&jobIds=a'
  is 'a forged return' 400 '"code":"invalid-state"'
  if ! is_sandbox; then
    skip 'the rest of the journey' "a person gives consent, at ${link%%\?*}"
    delete_user
    is 'DeleteUser' '204|202'
    return
  fi
  consent gavinBelson hooli2016
  is 'ConsentReturn' 202 '"syncId"'
  local job=${back##*[?&]jobId=}
  job=${job##*[?&]jobIds=}
  local first=$sync_id
  send POST "users/$user_id/syncs" "{\"jobIds\":[\"${job%%&*}\"]}"
  is 'StartSync of the same jobs is the same sync' 202 "\"$first\""
  wait_for_sync
  is 'GetSync' 200 '"status":"completed"'
  ask GET "users/$user_id/accounts"
  is 'ListAccounts' 200 '"type":"account"'
  local account
  account=$(grep -o '"type":"account","id":"[^"]*"' <<<"$body" | cut -d '"' -f 8 | sed -n 1p)
  ask GET "users/$user_id/accounts/$account/transactions?limit=5"
  is 'ListTransactions' 200 '"transactions":['
  ask GET "users/$user_id/connections"
  is 'ListConnections' 200 '"type":"connection"'
  send POST "users/$user_id/refresh" '{"force":true}'
  is 'RefreshConnections' 202 '"syncId"'
  sync_id=$(field syncId)
  ask DELETE "users/$user_id/syncs/$sync_id"
  is 'CancelSync' 202
  delete_user
  is 'DeleteUser' '204|202'
  ask GET "users/$user_id"
  is 'a user who is gone' 404 '"code":"user-not-found"'
}

check_failing_users() {
  local login password action one connected=()
  while read -r login password action; do
    user
    if ! is_sandbox; then
      delete_user
      skip 'users whose bank fails' "a person gives consent, at ${link%%\?*}"
      return
    fi
    consent "$login" "$password"
    connected+=("$user_id $sync_id $login $action")
  done <<'USERS'
bighead password reconnect
erlich aviato act-at-bank
jianYang nothotdog retry-later
USERS
  for one in "${connected[@]}"; do
    read -r user_id sync_id login action <<<"$one"
    wait_for_sync
    is "$login: the bank fails, and what to do is said" 200 "\"nextAction\":\"$action\""
    delete_user
  done
}

check_kill() {
  if [ -z "$start$kill" ]; then
    skip 'a kill while a sync runs' 'neither --start nor --kill was given'
    return
  fi
  user
  if ! is_sandbox; then
    delete_user
    skip 'a kill while a sync runs' "a person gives consent, at ${link%%\?*}"
    return
  fi
  consent jared django
  ask GET "users/$user_id/syncs/$sync_id"
  if [[ ! $body =~ \"status\":\"(waiting-for-bank|fetching)\" ]]; then
    fail 'a kill while a sync runs' "the sync had ended before: make the sandbox's jobs longer (Sandbox:JobDuration)"
    delete_user
    return
  fi
  if [ -n "$start" ]; then
    stop_host
    start_host
  else
    bash -c "$kill" </dev/null
  fi
  if ! wait_for_health; then
    fail 'a kill while a sync runs' 'the host did not come back'
    return
  fi
  wait_for_sync
  is 'a sync goes on after a kill' 200 '"status":"completed"'
  ask GET "users/$user_id/accounts"
  is 'its accounts are there' 200 '"type":"account"'
  delete_user
}

if [ -n "$start" ]; then
  start_host
fi
if ! wait_for_health; then
  fail 'health' "$api/health answers ${status:-nothing}: $(head -c 300 <<<"${body:-}")"
else
  check_edges
  check_bodies
  check_journey
  check_failing_users
  check_kill
fi
echo "$passed passed, $failed failed, $skipped skipped: $base"
[ "$failed" -eq 0 ]
