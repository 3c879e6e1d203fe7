# shellcheck shell=sh
# Sourced by the scripts that install: Debian's and Ubuntu's packages, and what to say where there are none.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "${0##*/}: $*" >&2; }

has() { command -v "$1" >/dev/null 2>&1; }

# cannot_install PACKAGE WHAT: ends with what is missing, where it comes from, and what to do about it.
cannot_install() {
  say "$2 is missing and could not be installed."
  say "Debian and Ubuntu have it in the package $1. Install that, or what holds it on this system, then run make again."
  [ "$(id -u)" = 0 ] || say "Installing needs root; this is $(id -un)."
  exit 1
}

apt_updated=
update_package_lists_once() {
  [ -z "$apt_updated" ] || return 0
  apt_updated=yes
  say 'apt-get update'
  apt-get update -qq </dev/null >&2 || say 'apt-get update failed; trying with the package lists as they are'
}

# install_package PACKAGE WHAT: WHAT tells a person what the package is needed for.
install_package() {
  has apt-get || cannot_install "$1" "$2"
  update_package_lists_once
  say "apt-get install $1"
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$1" </dev/null >/dev/null ||
    cannot_install "$1" "$2"
}
