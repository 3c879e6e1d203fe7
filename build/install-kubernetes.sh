#!/bin/sh
# Installs the real parts of a Kubernetes node for the tests in test/kubernetes, and nothing that is there already:
#
#   iptables                  Debian/Ubuntu package iptables, by apt-get install: portmap and kubelet call it
#   containerd, ctr, runc     packages containerd and runc, unpacked into .tools: installing would start a service
#   busybox                   package busybox-static, unpacked into .tools: all that the test's image holds
#   kubelet, kube-apiserver   built from the Go module k8s.io/kubernetes: minutes, so they are kept outside of this folder,
#                             in ${XDG_CACHE_HOME:-~/.cache}/calico-cni-tools, and linked into .tools/bin
#   cri.proto                 what containerd and kubelet say to each other, from the Go module k8s.io/cri-api
#
# Ends with 69 where this machine cannot have them, so that a caller who can do without goes on.
set -eu

cd "$(dirname "$0")/.."
. build/apt.sh
. build/go.sh

# containerd 1.6, which is Debian's, is new enough for this kubelet.
release=1.34.2
# What k8s.io/kubernetes is made of is published under numbers of its own.
staging=v0.${release#1.}

tools=$PWD/.tools
cache=${XDG_CACHE_HOME:-$HOME/.cache}/calico-cni-tools/kubernetes-$release-$(uname -m)
mkdir -p "$tools/bin" "$cache"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# link_unpacked PACKAGE PATH…: unpacks the package, and puts its programs into .tools/bin.
link_unpacked() {
  package=$1
  shift
  [ -x "$tools/unpacked/$1" ] || unpack_package "${1##*/}" "$package"
  for path in "$@"; do ln -sf "../unpacked/$path" "$tools/bin/${path##*/}"; done
}

cannot_build() {
  say "cannot build Kubernetes $release: the Go module proxy must be reachable (GOPROXY=$(go env GOPROXY))."
  exit "$unavailable"
}

# A module that needs k8s.io/kubernetes, with its parts where they are published: its own go.mod expects them beside it.
make_module() {
  "$go" mod download "k8s.io/kubernetes@v$release" || cannot_build
  mkdir "$scratch/module"
  cd "$scratch/module"
  "$go" mod init calico-cni-tools/kubernetes
  "$go" mod edit -require "k8s.io/kubernetes@v$release"
  sed -n 's|^\t\(k8s\.io/.*\) => \./staging/.*|\1|p' "$GOPATH/pkg/mod/k8s.io/kubernetes@v$release/go.mod" |
    while read -r part; do "$go" mod edit "-replace=$part=$part@$staging"; done
}

# keep FILE NAME: into the cache, whole or not at all.
keep() {
  cp "$1" "$cache/$2.$$"
  chmod 755 "$cache/$2.$$"
  mv "$cache/$2.$$" "$cache/$2"
}

build() {
  say "building kubelet and kube-apiserver $release, which takes about ten minutes; kept in $cache"
  require_go
  export GOPATH="$scratch/go" GOCACHE="$scratch/go-cache" GOFLAGS='-buildvcs=false -modcacherw -mod=mod' CGO_ENABLED=0
  go=$(suitable_go 24 1.24.11) || cannot_build
  make_module >&2
  mkdir "$scratch/built"
  # With everything downloaded, what fails is no longer for want of a network.
  "$go" list -deps k8s.io/kubernetes/cmd/kubelet k8s.io/kubernetes/cmd/kube-apiserver >/dev/null || cannot_build
  nice -n 10 "$go" build -o "$scratch/built/" -ldflags "-s -w -X k8s.io/component-base/version.gitVersion=v$release" \
    k8s.io/kubernetes/cmd/kubelet k8s.io/kubernetes/cmd/kube-apiserver >&2
  for program in kubelet kube-apiserver; do keep "$scratch/built/$program" "$program"; done
  keep "$("$go" list -m -f '{{.Dir}}' k8s.io/cri-api)/pkg/apis/runtime/v1/api.proto" cri.proto
}

# Asking proves as well that it runs here.
is_built() { [ "$("$cache/$1" --version 2>/dev/null)" = "Kubernetes v$release" ]; }

has iptables || install_package iptables 'the iptables command'
link_unpacked containerd usr/bin/containerd usr/bin/ctr usr/bin/containerd-shim-runc-v2
link_unpacked runc usr/sbin/runc
link_unpacked busybox-static bin/busybox
{ is_built kubelet && is_built kube-apiserver && [ -s "$cache/cri.proto" ]; } || (build)
for file in kubelet kube-apiserver; do ln -sf "$cache/$file" "$tools/bin/$file"; done
ln -sf "$cache/cri.proto" "$tools/cri.proto"
