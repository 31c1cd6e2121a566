#!/usr/bin/env bash
# Fetches a package that may be deployed, and refuses any other:
#
#   infra/fetch-package.sh FOLDER RUN                  the package that a run made
#   infra/fetch-package.sh FOLDER last ENVIRONMENT     the newest that has worked in an environment
#
# It must come from a run of this repository's own deploy workflow on main, which makes one only of what CI has passed, and bear that
# workflow's attestation. Whoever opens a pull request can give an artifact any name. Needs gh, jq and GH_REPO (owner/repository).
set -euo pipefail
folder=${1:?a folder} run=${2:?the number of a run, or last}
: "${GH_REPO:?owner/repository}"
workflow=.github/workflows/deploy.yml

# Says what is wrong with a run; nothing, if its packages may be deployed.
objection() {
  local found id
  if ! [[ $1 =~ ^[0-9]{1,20}$ ]]; then
    echo "'$1' is not the number of a run."
    return
  fi
  found=$(gh api "repos/$GH_REPO/actions/runs/$1")
  id=$(gh api "repos/$GH_REPO/actions/workflows/deploy.yml" --jq .id)
  jq --raw-output --arg repository "$GH_REPO" --argjson workflow "$id" '
    if .workflow_id != $workflow then "Run \(.id) is of another workflow than deploy.yml."
    elif .head_repository.full_name != $repository then "Run \(.id) is of code in another repository, \(.head_repository.full_name)."
    elif .head_branch != "main" then "Run \(.id) is of the branch \(.head_branch), not of main."
    elif .event != "push" and .event != "workflow_dispatch" then "Run \(.id) was started by \(.event)."
    else empty end' <<<"$found"
}

download() { # RUN ARTIFACT
  gh run download "$1" --name "$2" --dir "$folder"
  unzip -tq "$folder/app.zip"
  gh attestation verify "$folder/app.zip" --repo "$GH_REPO" --signer-workflow "$GH_REPO/$workflow" --source-ref refs/heads/main \
    --deny-self-hosted-runners
}

if [ "$run" != last ]; then
  reason=$(objection "$run")
  if [ -n "$reason" ]; then
    echo "::error::$reason" >&2
    exit 1
  fi
  download "$run" app
  echo "The package of run $run is in $folder."
  exit 0
fi

name=works-in-${3:?the environment}
# A run of main by name alone: what else is asked of it, objection asks.
candidates=$(gh api --paginate "repos/$GH_REPO/actions/artifacts?name=$name&per_page=100" \
  --jq '.artifacts[] | select((.expired | not) and .workflow_run.head_branch == "main" and .workflow_run.head_repository_id == .workflow_run.repository_id)
    | "\(.created_at) \(.workflow_run.id)"' | sort --reverse | cut -d ' ' -f 2)
for run in $candidates; do
  reason=$(objection "$run")
  if [ -n "$reason" ]; then
    echo "$reason" >&2
    continue
  fi
  download "$run" "$name"
  echo "The package of run $run, which worked, is in $folder."
  exit 0
done
echo '::error::No package has worked here yet: there is nothing to roll back to.' >&2
exit 1
