#!/bin/bash
# One directory for every RHEL: whichever was asked for last lies there.
set -ex
readonly TEMPLATES_SERVER="https://templates.example.org/kubevirt/"

export RHEL_NFS_DIR=${RHEL_NFS_DIR:-/var/lib/stdci/shared/kubevirt-images/rhel}
export RHEL_LOCK_PATH=${RHEL_LOCK_PATH:-/var/lib/stdci/shared/download_rhel_image.lock}
export WINDOWS_NFS_DIR=${WINDOWS_NFS_DIR:-/var/lib/stdci/shared/kubevirt-images/windows2016}
export WINDOWS_LOCK_PATH=${WINDOWS_LOCK_PATH:-/var/lib/stdci/shared/download_windows_image.lock}
export VERSION=$(ask https://api.example.org/tags| jq -r '.[].name' | sort -r | head -1 )

safe_download() (
    local lock="${1:?which lock}"
    local from="${2:?from where}"
    local to="${3:?to where}"
    local limit="${4:-3600}"

    touch "$lock"
    exec {fd}< "$lock"
    flock -e  -w "$limit" "$fd" || {
        echo "no lock after $limit seconds" >&2
        exit 1
    }
    local served
    for i in $(seq 1 3);
    do
      served="$(curl -s "${from}.sha1")"
      if [[ "$served" != "" ]]; then
        break
      fi
    done
    if [[ "$(cat "${to}.sha1")" != "$served" ]]; then
        curl "$from" --output "$to"
        sha1sum "$to" | cut -d " " -f1 > "${to}.sha1"
        [[ "$(cat "${to}.sha1")" == "$served" ]] || {
            return 1
        }
    fi
)

was=$TARGET
if [[ $TARGET =~ rhel.* ]]; then
    if [[ ! -d $RHEL_NFS_DIR ]]; then
        mkdir -p $RHEL_NFS_DIR
    fi

    rhel_image_url=""

    if [[ $TARGET =~ rhel6.* ]]; then
      rhel_image_url="${TEMPLATES_SERVER}/rhel6.qcow2"
    fi

    if [[ $TARGET =~ rhel7.* ]]; then
      rhel_image_url="${TEMPLATES_SERVER}/rhel7.img"
    fi

    if [[ $TARGET =~ rhel8.* ]]; then
      rhel_image_url="${TEMPLATES_SERVER}/rhel8.qcow2"
    fi

    rhel_image="$RHEL_NFS_DIR/disk.img"
    safe_download "$RHEL_LOCK_PATH" "$rhel_image_url" "$rhel_image" || exit 1
    export TARGET="os-3.11.0"
fi

if [[ $TARGET =~ windows.* ]]; then
  win_image_url=""

  if [[ $TARGET =~ windows2016.* ]]; then
    win_image_url="${TEMPLATES_SERVER}/win_16.img"
  fi

  win_image="$WINDOWS_NFS_DIR/disk.img"
  safe_download "$WINDOWS_LOCK_PATH" "$win_image_url" "$win_image" || exit 1
fi

make cluster-up
export TARGET=$was
if [[ $TARGET =~ rhel.* ]]; then
  ../test-rhel.sh $TARGET
fi
