# shellcheck shell=sh
# Sourced by the scripts that install: Debian's and Ubuntu's packages, and what to say where there are none.

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

say() { echo "${0##*/}: $*" >&2; }

has() { command -v "$1" >/dev/null 2>&1; }

# How a script ends when this machine cannot have something: EX_UNAVAILABLE of sysexits(3), and of nothing else.
unavailable=69

# cannot_install PACKAGE WHAT: ends with what is missing, where it comes from, and what to do about it.
cannot_install() {
  say "$2 is missing and could not be installed."
  say "Debian and Ubuntu have it in the package $1. Install that, or what holds it on this system, then run make again."
  [ "$(id -u)" = 0 ] || say "Installing needs root; this is $(id -un)."
  exit "$unavailable"
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

# unpack_package COMMAND PACKAGE…: unpacks the first of the packages that can be had into $tools/unpacked, without
# running any of its installation scripts. Downloads into $scratch.
# shellcheck disable=SC2154
unpack_package() {
  command=$1
  shift
  { has apt-get && has dpkg-deb; } || cannot_install "$1" "$command"
  update_package_lists_once
  # apt-get downloads as the user _apt, who must be able to write here.
  chmod 755 "$scratch"
  download=$scratch/$command
  mkdir "$download"
  ! id _apt >/dev/null 2>&1 || chown _apt "$download"
  for package in "$@"; do
    say "unpacking $package into .tools"
    (cd "$download" && apt-get download -qq "$package" </dev/null >&2) && break
  done
  ls "$download"/*.deb >/dev/null 2>&1 || cannot_install "$1" "$command"
  dpkg-deb -x "$download"/*.deb "$tools/unpacked"
}
