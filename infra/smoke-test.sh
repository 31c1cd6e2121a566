#!/usr/bin/env bash
# Asks a deployed app whether it works: smoke-test.sh https://<app>.azurewebsites.net/api
set -euo pipefail
api=${1:?the address of the API, such as https://<app>.azurewebsites.net/api}
# How long the app may take to come up, in seconds.
patience=${PATIENCE:-300}
body=$(mktemp)
trap 'rm -f "$body"' EXIT

status() {
  curl --silent --show-error --max-time 30 --output "$body" --write-out '%{http_code}' "$1" || true
}

deadline=$((SECONDS + patience))
# A process that has just started answers 200 before it knows what it reaches, and says so.
until answer=$(status "$api/health") && [ "$answer" = 200 ] && ! grep -q '"status":"starting"' "$body"; do
  if [ "$SECONDS" -ge "$deadline" ]; then
    echo "GET $api/health answered ${answer:-nothing}, not 200 and ready, for $patience seconds:" >&2
    cat "$body" >&2
    exit 1
  fi
  sleep 5
done
echo "GET $api/health: 200"
cat "$body"
echo

# Whoever has no key is turned away.
answer=$(status "$api/users/smoke-test")
if [ "$answer" != 401 ]; then
  echo "GET $api/users/smoke-test without a key answered $answer, not 401." >&2
  exit 1
fi
echo "GET $api/users/smoke-test without a key: 401"

# Nothing is said unencrypted.
case $api in
  https://*)
    answer=$(status "http://${api#https://}/health")
    case $answer in
      301 | 302 | 307 | 308) echo "http is sent on to https: $answer" ;;
      *)
        echo "http answered $answer, and should be sent on to https." >&2
        exit 1
        ;;
    esac
    ;;
esac
