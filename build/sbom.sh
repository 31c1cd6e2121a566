#!/usr/bin/env bash
# Writes which files a published app has, and of which packages they are, as SPDX 2.2: build/sbom.sh FOLDER FILE VERSION
set -euo pipefail
folder=${1:?the folder of the published app} file=${2:?the file to write} version=${3:?the version, such as the commit}
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

(cd "$here" && dotnet tool restore >/dev/null)
# Packages are read from what was restored: the app's, and those of the host's extensions, which the worker's SDK builds beside it.
(cd "$here" && dotnet tool run sbom-tool generate -b "$(cd "$OLDPWD" && cd "$folder" && pwd)" -bc "$here/BasiqFunctions" -m "$work" \
  -pn BasiqFunctions -pv "$version" -ps BasiqFunctions -nsb https://spdx.org/spdxdocs -V Warning -D true >"$work/log") || { cat "$work/log" >&2; exit 1; }
cp "$work/_manifest/spdx_2.2/manifest.spdx.json" "$file"
echo "$file: $(grep -o '"purl\|pkg:nuget/' "$file" | grep -c 'pkg:nuget/') packages"
