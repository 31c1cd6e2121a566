#!/usr/bin/env bash
# Compiles and lints the templates with the compiler that the tests' build brought along. Whatever it says is an error. With
# --list it also prints what a deployment of each environment would make.
set -euo pipefail
cd "$(dirname "$0")/.."

bicep=$(dotnet msbuild BasiqFunctions.Tests -getProperty:BicepPath | tr '\\' '/')
if [ ! -x "$bicep" ]; then
  if [ "$(uname -sm)" = 'Linux x86_64' ]; then
    echo "There is no Bicep compiler at '$bicep': run 'dotnet restore' first." >&2
    exit 1
  fi
  echo 'Not checked: the Bicep compiler comes along on Linux x64 alone. Elsewhere, name one by an environment variable BicepPath.'
  exit 0
fi
"$bicep" --version

said=$( { "$bicep" lint --pattern 'infra/*.bicep' && "$bicep" lint --pattern 'infra/*.bicepparam'; } 2>&1) || failed=1
if [ -n "$said" ] || [ -n "${failed:-}" ]; then
  printf '%s\n' "$said" >&2
  exit 1
fi

copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -R infra host.json "$copy"
for parameters in infra/*.bicepparam; do
  name=$(basename "$parameters" .bicepparam)
  BUDGET_START=2026-12-01 "$bicep" snapshot "$copy/$parameters" --mode overwrite --location australiaeast \
    --subscription-id 00000000-0000-0000-0000-000000000001 --tenant-id 00000000-0000-0000-0000-000000000002
  # An id that only Azure can complete is printed as the expression that it is.
  resources=$(sed -n 's/^      "id": "\(.*\)",$/\1/p' "$copy/infra/$name.snapshot.json" |
    sed 's#^/subscriptions/[^/]*/##; s#^resourceGroups/[^/]*/providers/##')
  echo "$name: $(printf '%s\n' "$resources" | wc -l) resources"
  if [ "${1:-}" = --list ]; then
    printf '%s\n' "$resources" | sed 's/^/  /'
  fi
done
