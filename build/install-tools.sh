#!/bin/sh
# Installs what the tests, the demo and the benchmark need beside npm packages, and nothing that is there already:
#
#   ip, ping     Debian/Ubuntu packages iproute2 and iputils-ping, by apt-get install
#   openssl      Debian/Ubuntu package openssl, by apt-get install
#   nft          Debian/Ubuntu package nftables, by apt-get install: what our own table is compared with
#   strace       Debian/Ubuntu package strace, by apt-get install: kills the plugin at any of its system calls
#   etcd         package etcd-server, unpacked into .tools: installing it would start a service on port 2379
#   ptp, …       package containernetworking-plugins, unpacked into .tools
#   cnitool      Go module github.com/containernetworking/cni, built into .tools/bin
#
# What apt-get does not install lands in .tools/; `make distclean` removes it.
set -eu

cd "$(dirname "$0")/.."
. build/apt.sh
. build/go.sh

tools=$PWD/.tools
mkdir -p "$tools/bin" "$tools/cni"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

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

# 1.3 is the first cnitool that knows gc and status, and version 1.1.0 of the protocol.
install_cnitool() {
  version=v1.3.0
  # The stamp tells which one is there: cnitool itself cannot.
  if [ -x "$tools/bin/cnitool" ] && [ "$(cat "$tools/bin/cnitool.version")" = "$version" ]; then return 0; fi
  require_go
  say "building cnitool $version"
  export GOBIN="$tools/bin" GOPATH="$scratch/go" GOCACHE="$scratch/go-cache" GOFLAGS='-buildvcs=false -modcacherw'
  { go=$(suitable_go 21 1.22.12) && "$go" install "github.com/containernetworking/cni/cnitool@$version" >&2; } || {
    say "cannot build cnitool $version: the Go module proxy must be reachable (GOPROXY=$(go env GOPROXY))"
    exit 1
  }
  echo "$version" >"$tools/bin/cnitool.version"
}

has ip || install_package iproute2 'the ip command'
has ping || install_package iputils-ping 'the ping command'
has openssl || install_package openssl 'the openssl command'
has nft || install_package nftables 'the nft command'
has strace || install_package strace 'the strace command'
install_etcd
install_reference_plugins
install_cnitool
touch "$tools/installed"
