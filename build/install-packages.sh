#!/bin/sh
# Installs the npm packages, Node.js itself among them, and the one library that Node.js needs and a small system lacks.
set -eu

cd "$(dirname "$0")/.."
. build/apt.sh

node=node_modules/.bin/node

has npm || {
  say 'npm is missing: install Node.js 20 or newer with npm. It only installs; everything runs on the Node.js it brings.'
  exit 1
}
# No package needs its installation script, and none of them shall run one on your machine.
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

[ -x "$node" ] || {
  say "npm has no Node.js for this machine ($(uname -sm)): Linux on x64 or arm64, with glibc, is needed."
  exit 1
}
"$node" --version >/dev/null 2>&1 || install_package libatomic1 'the library libatomic.so.1'
"$node" --version >/dev/null || {
  say "$node does not run: see the line above."
  exit 1
}
