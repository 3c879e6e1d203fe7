#!/bin/sh
# isolated.sh [--or-fail] COMMAND…: runs a command where it cannot disturb the machine.
#
# It gets a network, a process table and state folders of its own. All it makes in them (interfaces, namespaces,
# servers, caches) vanishes when it ends, however it ends: the kernel takes the namespaces away with their last
# process. Its temporary files go to a folder that is removed as well, and so are control groups below one of the name
# that it finds in ISOLATED.
#
# Needs root. Without it, or where the system allows no namespaces, the command runs as it is, with a remark; or,
# with --or-fail, not at all.
set -eu

PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# Where the programs under test and the tools around them keep state between calls.
state='/run/netns /run/calico /run/cni /run/containerd /var/lib/cni /var/lib/calico /var/lib/kubelet
  /var/log/calico /var/log/containers /var/log/pods'

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
export TMPDIR="$scratch" ISOLATED="${scratch##*/}"

# Runs overlap, and who removes a folder takes along what others have mounted on it: the last one removes them all.
made=/run/isolated.made
exec 9>>"$made"
flock -s 9
for folder in $state; do
  [ -d "$folder" ] && continue
  mkdir -p "$folder"
  echo "$folder" >&9
done
remove_folders() {
  flock -xn 9 || return 0
  xargs -r rmdir --ignore-fail-on-non-empty <"$made"
  : >"$made"
}

remove_cgroups() {
  for top in "/sys/fs/cgroup/$ISOLATED" /sys/fs/cgroup/*/"$ISOLATED"; do
    [ ! -d "$top" ] || find "$top" -depth -type d -exec rmdir {} + || return 1
  done
}

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
  while ! { rm -rf "$scratch" && remove_cgroups; } 2>/dev/null && [ "$tries" -gt 0 ]; do
    tries=$((tries - 1))
    sleep 0.1
  done
  remove_folders 2>/dev/null || true
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Should this shell be killed, the rest goes as well (--pdeathsig). In the background, because a shell acts on a signal only between foreground commands.
setpriv --pdeathsig KILL unshare --net --mount --pid --fork --kill-child --mount-proc "$0" --inside "$@" <&0 9>&- &
child=$!
status=0
wait "$child" || status=$?
child=
exit "$status"
