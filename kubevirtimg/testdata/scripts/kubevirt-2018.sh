#!/bin/bash
# An image is fetched once, under a lock that is a file, straight into the directory.
trap '{ give_back $WIN_LOCK; make down; }' EXIT SIGINT SIGTERM SIGSTOP
set -ex

export TARGET="windows2016"
export WINDOWS_NFS_DIR=${WINDOWS_NFS_DIR:-/var/lib/stdci/shared/kubevirt-images/windows2016}
export RHEL_NFS_DIR=${RHEL_NFS_DIR:-/var/lib/stdci/shared/kubevirt-images/rhel7}
export WIN_LOCK=${WIN_LOCK:-/var/lib/stdci/shared/download_windows_image.lock}

take() {
  local tries=60
  for ((n = 0; n < $tries; n++)); do
      if (set -o noclobber; > $1) 2> /dev/null; then
          echo "have $1"
          return
      fi
      sleep 60
  done
  echo "no lock: $1" >&2
  exit 1
}

give_back() {
  if [[ -e "$1" ]]; then
    rm -f "$1"
  fi
}

if [[ ! -d $WINDOWS_NFS_DIR ]]; then
  mkdir -p $WINDOWS_NFS_DIR
fi

if take $WIN_LOCK; then
  if [[ ! -f "$WINDOWS_NFS_DIR/disk.img" ]]; then
    curl http://templates.example.org/kubevirt/win01.img > $WINDOWS_NFS_DIR/disk.img
  fi
  give_back $WIN_LOCK
else
  exit 1
fi

if [[ $TARGET =~ openshift.* ]]; then
  curl http://templates.example.org/kubevirt/never.img > $RHEL_NFS_DIR/disk.img
fi

spaces=(kube-system default)
if [[ $SPACE != "kube-system" ]]; then
  spaces+=($SPACE)
fi
for s in ${spaces[@]}; do
  waited=0
  while [ -n "$(_oc get pods -n $s -o'custom-columns=ready:status.containerStatuses[*].ready' --no-headers | grep false)" ]; do
    _oc get pods -n $s --no-headers | >&2 grep -v Running || true
    waited=$((waited + 30))
    if [ $waited -gt 300 ]; then
      exit 1
    fi
  done
done

_oc create -f - <<DISK
---
kind: PersistentVolume
metadata:
  name: "it's $( not to be read
DISK
