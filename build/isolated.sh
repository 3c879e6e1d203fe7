#!/bin/sh
# isolated.sh [--or-fail] COMMAND…: runs a command where it cannot disturb the machine.
#
# It gets a network, a process table and state folders of its own. All it makes in them (interfaces, namespaces,
# servers, caches) vanishes when it ends, however it ends: the kernel takes the namespaces away with their last
# process. Its temporary files go to a folder that is removed as well.
#
# Needs root. Without it, or where the system allows no namespaces, the command runs as it is, with a remark; or,
# with --or-fail, not at all.
set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Where the programs under test and the tools around them keep state between calls.
state='/run/netns /run/calico /var/lib/cni /var/lib/calico /var/log/calico'

if [ "${1-}" = --inside ]; then
  shift
  for folder in $state; do mount -t tmpfs -o mode=755 none "$folder"; done
  ip link set lo up
  status=0
  "$@" || status=$?
  exit "$status"
fi

otherwise=run
if [ "${1-}" = --or-fail ]; then
  otherwise=fail
  shift
fi

if ! unshare --net --mount --pid --fork --mount-proc true 2>/dev/null; then
  echo "isolated.sh: cannot make namespaces for this run: that needs root (this is $(id -un)), and unshare(1)" >&2
  [ "$otherwise" = run ] || exit 1
  exec "$@"
fi

scratch=$(mktemp -d -t isolated.XXXXXX)
export TMPDIR="$scratch"
made=
for folder in $state; do
  [ -d "$folder" ] && continue
  mkdir -p "$folder"
  made="$folder $made"
done

child=
clean_up() {
  # make passes a signal on that we had already: once is enough.
  trap '' HUP INT TERM
  # unshare takes its child along (--kill-child), and with that process 1 the whole process namespace goes.
  if [ -n "$child" ]; then
    kill -KILL "$child" 2>/dev/null || true
    wait "$child" 2>/dev/null || true
  fi
  # They die one after another: until the last one has, there may be a file more.
  tries=50
  while ! rm -rf "$scratch" 2>/dev/null && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
  done
  # shellcheck disable=SC2086
  [ -z "$made" ] || rmdir $made 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Should this shell be killed, the rest goes as well (--pdeathsig). In the background, because a shell acts on a signal only between foreground commands.
setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside "$@" <&0 &
child=$!
status=0
wait "$child" || status=$?
child=
exit "$status"
