#!/bin/sh
# Install a Debian package for the tests: from the release, else from its backports, without changing the machine's sources.
set -u
export DEBIAN_FRONTEND=noninteractive
install="apt-get install -y -qq --no-install-recommends"
apt-get update -qq
if [ -n "$(apt-cache madison "$1")" ]; then
	$install "$1" >/dev/null && exit
fi
. /etc/os-release
own=/etc/apt/sources.list.d/debian.sources
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
if [ -f "$own" ]; then
	mkdir -p "$place/parts" "$place/lists/partial"
	cp "$own" "$place/parts/debian.sources"
	sed '/^$/q' "$own" | sed "s/^Suites:.*/Suites: $VERSION_CODENAME-backports/" >"$place/parts/backports.sources"
	only="-o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts=$place/parts -o Dir::State::lists=$place/lists"
	apt-get $only update -qq && apt-get $only install -y -qq --no-install-recommends "$1/$VERSION_CODENAME-backports" >/dev/null
fi
command -v "$1" >/dev/null 2>&1 || echo "No $1 for this machine: its tests will be skipped."
