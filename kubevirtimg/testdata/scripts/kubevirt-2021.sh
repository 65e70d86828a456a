#!/bin/bash
# Two Windows images, told apart by elif; the server is a bucket.
set -ex
export WORKSPACE="${WORKSPACE:-$PWD}"
readonly ARTIFACTS_PATH="${ARTIFACTS-$WORKSPACE/exported-artifacts}"
readonly TEMPLATES_SERVER="gs://vm-images-example"

if [[ ${CI} == "true" && -n "$BASE_SHA" && -n "$PULL_SHA" ]]; then
    SKIP="^(docs/)|(OWNERS|OWNERS_ALIASES|.*\.(md|txt))$"
    ALL=$(git diff --name-only ${BASE_SHA}...${PULL_SHA})
    CODE=$(cat <<<$ALL | grep -vE "$SKIP" || :)
    if [[ -z "$CODE" ]]; then
        exit 0
    fi
 fi

if [[ ${CI} == "true" ]]; then
  if [[ ! $TARGET =~ .*kind.* ]] && [[ ! $TARGET =~ .*k3d.* ]]; then
    _delay="$(( ( RANDOM % 180 )))"
    sleep ${_delay}
  fi
fi

if [ -z $TARGET ]; then
  echo "TARGET must not be empty"
  exit 1
fi

if [[ $TARGET =~ windows.* ]]; then
  echo "the default provider"
elif [[ $TARGET =~ sig-network ]]; then
  export KUBEVIRT_PROVIDER=${TARGET/-sig-network*/}
else
  export KUBEVIRT_PROVIDER=${TARGET}
fi

export RHEL_NFS_DIR=${RHEL_NFS_DIR:-/var/lib/stdci/shared/kubevirt-images/rhel7}
export RHEL_LOCK_PATH=${RHEL_LOCK_PATH:-/var/lib/stdci/shared/download_rhel_image.lock}
export WINDOWS_NFS_DIR=${WINDOWS_NFS_DIR:-/var/lib/stdci/shared/kubevirt-images/windows2016}
export WINDOWS_LOCK_PATH=${WINDOWS_LOCK_PATH:-/var/lib/stdci/shared/download_windows_image.lock}
export WINDOWS_SYSPREP_NFS_DIR=${WINDOWS_SYSPREP_NFS_DIR:-/var/lib/stdci/shared/kubevirt-images/windows2012_syspreped}
export WINDOWS_SYSPREP_LOCK_PATH=${WINDOWS_SYSPREP_LOCK_PATH:-/var/lib/stdci/shared/download_windows_syspreped_image.lock}

safe_download() (
    local from="${2:?from where}"
    local to="${3:?to where}"
    gsutil cp $from $to
)

if [[ $TARGET =~ os-.* ]] || [[ $TARGET =~ (okd|ocp)-.* ]]; then
    rhel_image_url="${TEMPLATES_SERVER}/rhel7.img"
    rhel_image="$RHEL_NFS_DIR/disk.img"
    safe_download "$RHEL_LOCK_PATH" "$rhel_image_url" "$rhel_image" || exit 1
fi

if [[ $TARGET =~ windows_sysprep.* ]]; then
  if [[ ! -d $WINDOWS_SYSPREP_NFS_DIR ]]; then
    mkdir -p $WINDOWS_SYSPREP_NFS_DIR
  fi
  win_image_url="${TEMPLATES_SERVER}/windows2012_syspreped.img"
  win_image="$WINDOWS_SYSPREP_NFS_DIR/disk.img"
  safe_download "$WINDOWS_SYSPREP_LOCK_PATH" "$win_image_url" "$win_image" || exit 1
elif [[ $TARGET =~ windows.* ]]; then
  win_image_url="${TEMPLATES_SERVER}/win01.img"
  win_image="$WINDOWS_NFS_DIR/disk.img"
  safe_download "$WINDOWS_LOCK_PATH" "$win_image_url" "$win_image" || exit 1
fi

kubectl() { QUIET=true cluster-up/kubectl.sh "$@"; }

cri() {
    if [ "${RUNTIME}" = "podman" ]; then
        echo podman
    else
        if curl --unix-socket "${XDG_RUNTIME_DIR}/podman.sock" http://d/v3.0.0/libpod/info >/dev/null 2>&1; then
            echo podman
        elif docker ps >/dev/null 2>&1; then
            echo docker
        else
            >&2 echo "no container runtime"
            exit 1
        fi
    fi
}

logs() {
    local containers
    containers=( $("$(cri)" ps -a --format '{{ .Names }}') )
    for c in "${containers[@]}"; do
        echo "== $c =="
    done
}

cat >ci.bazelrc <<EOF
build --jobs=4
EOF
trap '{ logs; echo "state:"; make dump; }' ERR
make cluster-up
trap - ERR

label_filter="${KUBEVIRT_LABEL_FILTER}"
if [[ -z ${FOCUS} && -z ${label_filter} ]]; then
  if [[ $TARGET =~ (cnao|multus) ]]; then
    label_filter='(Multus && !(GPU,VGPU))'
  fi
fi
if [[ $TARGET =~ windows.* ]]; then
  kubectl create -f - <<EOF
---
metadata:
  name: $disk_name
EOF
fi
FUNC_TEST_ARGS=$params FILTER='--label-filter='${label_filter} make functest
