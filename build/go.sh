# shellcheck shell=sh
# Sourced by the scripts that build programs written in Go, after apt.sh.

PATH=$PATH:/usr/local/go/bin

require_go() { has go || install_package golang-go 'Go, which builds some of the tools,'; }

# suitable_go MINOR RELEASE: prints the path of a Go that is 1.MINOR at least: the one here, or, where that is older, as
# Debian 12's is, RELEASE, got the way newer ones get it themselves: as a module.
suitable_go() {
  here=$(go env GOVERSION)
  minor=${here##*go1.}
  if [ "${minor%%[!0-9]*}" -ge "$1" ]; then
    command -v go
    return 0
  fi
  toolchain=golang.org/toolchain@v0.0.1-go$2.$(go env GOOS)-$(go env GOARCH)
  go mod download "$toolchain" || return 1
  folder=$GOPATH/pkg/mod/$toolchain
  # Modules carry no permission to execute.
  chmod +x "$folder"/bin/go "$folder"/pkg/tool/*/*
  echo "$folder/bin/go"
}
