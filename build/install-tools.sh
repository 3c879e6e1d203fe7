#!/bin/sh
# Installs what the tests, the demo and the benchmark need beside npm packages, and nothing that is there already:
#
#   ip, ping     Debian/Ubuntu packages iproute2 and iputils-ping, by apt-get install
#   etcd         package etcd-server, unpacked into .tools: installing it would start a service on port 2379
#   ptp, …       package containernetworking-plugins, unpacked into .tools
#   cnitool      Go module github.com/containernetworking/cni, built into .tools/bin
#
# Everything else lands in .tools/, so `make clean-tools` removes it.
set -eu

cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin:/usr/local/go/bin
tools=$PWD/.tools
mkdir -p "$tools/bin" "$tools/cni"

say() { echo "install-tools: $*" >&2; }

# Ends with what is missing, where it comes from, and what to do about it.
missing() {
  say "$1 is missing and could not be installed."
  say "It is in the package $2 of Debian and Ubuntu. Install that as root, then run make again."
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

apt_updated=
update_package_lists_once() {
  [ -z "$apt_updated" ] || return 0
  apt_updated=yes
  say 'apt-get update'
  apt-get update -qq </dev/null >&2 || say 'apt-get update failed; trying with the package lists as they are'
}

# install_package COMMAND PACKAGE: apt-get install, unless the command is there.
install_package() {
  has "$1" && return 0
  has apt-get || missing "$1" "$2"
  update_package_lists_once
  say "apt-get install $2"
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$2" </dev/null >&2 ||
    missing "$1" "$2"
}

# unpack_package COMMAND PACKAGE…: unpacks the first of the packages that exists into .tools/unpacked,
# without running any of its installation scripts.
unpack_package() {
  command=$1
  shift
  { has apt-get && has dpkg-deb; } || missing "$command" "$1"
  update_package_lists_once
  download=$(mktemp -d)
  # apt-get downloads as the user _apt, who must be able to write here.
  chmod 755 "$download"
  ! id _apt >/dev/null 2>&1 || chown _apt "$download"
  for package in "$@"; do
    say "unpacking $package into .tools"
    (cd "$download" && apt-get download -qq "$package" </dev/null >&2) && break
  done
  ls "$download"/*.deb >/dev/null 2>&1 || missing "$command" "$1"
  dpkg-deb -x "$download"/*.deb "$tools/unpacked"
  rm -rf "$download"
}

install_etcd() {
  [ -x "$tools/bin/etcd" ] && return 0
  if has etcd; then
    ln -sf "$(command -v etcd)" "$tools/bin/etcd"
    return 0
  fi
  unpack_package etcd etcd-server etcd
  ln -sf ../unpacked/usr/bin/etcd "$tools/bin/etcd"
}

# The reference plugins: benchmarked beside ours (ptp, host-local), chained behind it (portmap, bandwidth).
install_reference_plugins() {
  [ -x "$tools/cni/ptp" ] && return 0
  unpack_package ptp containernetworking-plugins
  for plugin in "$tools"/unpacked/usr/lib/cni/*; do
    ln -sf "../unpacked/usr/lib/cni/${plugin##*/}" "$tools/cni/${plugin##*/}"
  done
}

# cnitool 1.3 knows gc and status but needs Go 1.21; 1.1.2 is the newest that Debian 12's Go 1.19 compiles.
cnitool_version() {
  case $(go env GOVERSION) in
    go1.[0-9] | go1.[0-9].* | go1.1[0-9] | go1.1[0-9].* | go1.20 | go1.20.*) echo v1.1.2 ;;
    *) echo v1.3.0 ;;
  esac
}

install_cnitool() {
  # The stamp, not the binary, is looked at: cnitool cannot tell its version.
  if [ -x "$tools/bin/cnitool" ] && [ -s "$tools/bin/cnitool.version" ]; then return 0; fi
  install_package go golang-go
  version=$(cnitool_version)
  say "building cnitool $version"
  GOBIN=$tools/bin GOFLAGS=-buildvcs=false go install "github.com/containernetworking/cni/cnitool@$version" >&2 || {
    say "Cannot build cnitool $version: the Go module proxy must be reachable (GOPROXY=$(go env GOPROXY))."
    exit 1
  }
  echo "$version" >"$tools/bin/cnitool.version"
}

install_package ip iproute2
install_package ping iputils-ping
install_etcd
install_reference_plugins
install_cnitool
touch "$tools/installed"
