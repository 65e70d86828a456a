#!/bin/bash
# Directory and URL are both chosen by the target.
readonly TEMPLATES_SERVER="https://templates.example.org/kubevirt/"
readonly IMAGES=/var/lib/stdci/shared/kubevirt-images

fetch() {
  local os=$1 image=$2
  mkdir -p "$IMAGES/$os"
  safe_download "/var/lib/stdci/shared/download_${os}_image.lock" "${TEMPLATES_SERVER%/}/$image" "$IMAGES/$os/disk.img" 600 || return 1
}

main() {
  case $TARGET in
    rhel8*) fetch rhel8 rhel8.qcow2 ;;
    rhel7*|centos7*) fetch rhel7 rhel7.img ;;
    windows10) fetch windows10 win_10.qcow2 ;;
  esac
}
main "$@"
