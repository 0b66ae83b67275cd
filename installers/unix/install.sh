#!/bin/sh
# Installs mcp-bridge from its archive, with the Node.js that it carries; needs neither root nor the network. Also upgrades it in place,
# and takes it out again. Written for any POSIX shell; runs on Linux and macOS.
set -eu
# shellcheck disable=SC3044 # zsh alone reads this
if [ -n "${ZSH_VERSION:-}" ]; then emulate sh; fi

usage() {
  cat <<'END'
Usage: install.sh [--prefix DIR] [--from DIR] [--url URL]
       install.sh --uninstall [--purge] [--prefix DIR]

  --prefix DIR   install below this directory (default: ~/.local, for root /usr/local)
  --from DIR     where the archives and SHA256SUMS lie (default: beside this script)
  --url URL      then set up Claude Desktop for this service: mcp-bridge setup URL --yes
  --uninstall    take mcp-bridge out, with what set-up wrote; other settings of yours stay
  --purge        with --uninstall: all settings and logs too
END
}

say() { printf '%s\n' "$*"; }
fail() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}

prefix='' from='' url='' uninstall='' purge=''
while [ $# -gt 0 ]; do
  case $1 in
    --prefix | --from | --url)
      [ -n "${2:-}" ] || fail "$1 needs a value."
      case $1 in
        --prefix) prefix=$2 ;;
        --from) from=$2 ;;
        --url) url=$2 ;;
      esac
      shift
      ;;
    --uninstall) uninstall=yes ;;
    --purge) purge=yes ;;
    -h | --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      fail "I do not know $1."
      ;;
  esac
  shift
done
[ -z "$purge" ] || [ -n "$uninstall" ] || fail '--purge goes with --uninstall.'
[ -z "$uninstall" ] || [ -z "$url$from" ] || fail '--uninstall takes neither --url nor --from.'

self=$0
case $self in */*) ;; *) self=./$self ;; esac
here=$(cd "$(dirname "$self")" && pwd -P)

if [ -z "$prefix" ]; then
  # The script that was installed with a copy is about that copy.
  if [ -n "$uninstall" ] && [ "$(basename "$here")" = mcp-bridge ] && [ -f "$here/runtime/node" ]; then
    prefix=${here%/lib/mcp-bridge}
  elif [ "$(id -u)" = 0 ]; then
    prefix=/usr/local
  else
    prefix=${HOME:?HOME is not set: give --prefix}/.local
  fi
fi
case $prefix in /*) ;; *) prefix=$(pwd -P)/$prefix ;; esac
lib=$prefix/lib/mcp-bridge
link=$prefix/bin/mcp-bridge

# The processes of this user that run from $lib, also from a version of it that has been replaced.
our_processes() {
  if [ -d /proc/self ]; then
    for process in /proc/[0-9]*; do
      case $(readlink "$process/exe" 2>/dev/null || true) in
        "$lib/runtime/node" | "$lib.old/runtime/node" | "$lib.old/runtime/node (deleted)" | "$lib/runtime/node (deleted)") say "${process#/proc/}" ;;
      esac
    done
  else
    ps -x -o pid= -o command= | while read -r process command; do
      case $command in "$lib/runtime/node "*) say "$process" ;; esac
    done
  fi
}

# Asks them to end, as a client does; they have five seconds for it.
end_processes() {
  for process in $(our_processes); do kill "$process" 2>/dev/null || true; done
  tries=0
  while [ -n "$(our_processes)" ] && [ "$tries" -lt 50 ]; do
    tries=$((tries + 1))
    sleep 0.1 2>/dev/null || sleep 1
  done
  for process in $(our_processes); do kill -9 "$process" 2>/dev/null || true; done
}

take_out() {
  [ -e "$lib/bin/mcp-bridge.js" ] || fail "There is no mcp-bridge below $prefix. Where it is elsewhere, give --prefix."
  "$lib/mcp-bridge" setup --remove --yes </dev/null ||
    say 'What is said above keeps an entry in a client. The rest is removed.'
  end_processes
  if [ "$(readlink "$link" 2>/dev/null || true)" = ../lib/mcp-bridge/mcp-bridge ]; then rm -f "$link"; fi
  rm -rf "$lib" "$lib.old" "$lib.new"
  if [ -n "$purge" ]; then remove_data; fi
  say "mcp-bridge is removed from $prefix."
}

# What it keeps of this user: the places of docs/configuration.md and docs/operations.md.
remove_data() {
  if [ -n "${MCP_BRIDGE_HOME:-}" ]; then
    for name in config.json setup.json backups state cache run; do rm -rf "${MCP_BRIDGE_HOME:?}/$name"; done
  elif [ "$(uname -s)" = Darwin ]; then
    for folder in Preferences 'Application Support' Caches Logs; do rm -rf "$HOME/Library/$folder/mcp-bridge"; done
  else
    rm -rf "${XDG_CONFIG_HOME:-$HOME/.config}/mcp-bridge" "${XDG_CACHE_HOME:-$HOME/.cache}/mcp-bridge" \
      "${XDG_DATA_HOME:-$HOME/.local/share}/mcp-bridge" "${XDG_STATE_HOME:-$HOME/.local/state}/mcp-bridge" \
      "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/mcp-bridge"
  fi
}

find_platform() {
  case $(uname -s) in
    Linux) system=linux ;;
    Darwin) system=darwin ;;
    *) fail "There is no package for $(uname -s). With Node.js 22.19 or newer, the npm package works." ;;
  esac
  machine=$(uname -m)
  # A shell that Rosetta translates says x86_64 on a Mac that is not.
  if [ "$system" = darwin ] && [ "$(sysctl -n hw.optional.arm64 2>/dev/null || true)" = 1 ]; then machine=arm64; fi
  case $machine in
    x86_64 | amd64) say "$system-x64" ;;
    arm64 | aarch64) say "$system-arm64" ;;
    *) fail "There is no package for $system on $machine." ;;
  esac
}

# Reads lines of SHA256SUMS; fails where a file is not what it should be.
check_sums() {
  if command -v sha256sum >/dev/null; then
    sha256sum -c - >/dev/null
  elif command -v shasum >/dev/null; then
    shasum -a 256 -c - >/dev/null
  else
    fail 'There is no sha256sum and no shasum, so nothing can be checked.'
  fi
}

# Puts the files, checked, at $1.
unpack() {
  if [ -z "$from" ] && [ -f "$here/PLATFORM" ]; then
    # Unpacked by hand: this script lies among the files.
    [ "$(cat "$here/PLATFORM")" = "$platform" ] ||
      fail "This package is for $(cat "$here/PLATFORM"), and this machine is $platform."
    cp -R "$here" "$1"
  else
    folder=${from:-$here}
    name=''
    for file in "$folder"/mcp-bridge-*-"$platform".tar.gz; do
      [ -f "$file" ] || fail "There is no mcp-bridge-*-$platform.tar.gz in $folder."
      [ -z "$name" ] || fail "There is more than one mcp-bridge-*-$platform.tar.gz in $folder."
      name=${file##*/}
    done
    [ -f "$folder/SHA256SUMS" ] || fail "There is no SHA256SUMS in $folder, so $name cannot be checked."
    sum=$(grep "  $name\$" "$folder/SHA256SUMS") || fail "$folder/SHA256SUMS does not name $name."
    printf '%s\n' "$sum" | (cd "$folder" && check_sums) ||
      fail "$name is not what SHA256SUMS says: get it again."
    mkdir -p "$1"
    tar -xzf "$folder/$name" -C "$1"
    mv "$1/${name%.tar.gz}" "$1.inner"
    rmdir "$1"
    mv "$1.inner" "$1"
  fi
  (cd "$1" && check_sums <SHA256SUMS) || fail 'A file of the package is damaged: get it again.'
}

put_in() {
  case $url in *' '*) fail 'A URL has no spaces.' ;; esac
  mkdir -p "$prefix/lib" "$prefix/bin" || fail "I cannot write below $prefix. Give --prefix a directory of yours."
  if [ -e "$link" ] || [ -L "$link" ]; then
    [ "$(readlink "$link" || true)" = ../lib/mcp-bridge/mcp-bridge ] ||
      fail "$link is there already, and not mine. Take it away, or give another --prefix."
  fi
  platform=$(find_platform)
  new=$lib.new
  rm -rf "$new" "$new.inner"
  trap 'rm -rf "$new" "$new.inner"' EXIT
  unpack "$new"
  version=$("$new/mcp-bridge" --version 2>&1) || cannot_run "$version"

  # Whoever runs the version before keeps its files open; what starts from now on is the new one, and takes the daemon over.
  rm -rf "$lib.old"
  [ ! -e "$lib" ] || mv "$lib" "$lib.old"
  mv "$new" "$lib"
  rm -rf "$lib.old"
  ln -sf ../lib/mcp-bridge/mcp-bridge "$link"
  say "mcp-bridge $version is installed: $link"
  case :$PATH: in
    *":$prefix/bin:"*) ;;
    *) say "$prefix/bin is not in your PATH: add it, or call mcp-bridge by that path." ;;
  esac
  say "To take it out again: $lib/install.sh --uninstall"
  [ -z "$url" ] || "$lib/mcp-bridge" setup "$url" --yes </dev/null
}

cannot_run() {
  say "$1" >&2
  case $1 in
    *libatomic*) fail 'Node.js needs libatomic: install the package libatomic1 (Debian, Ubuntu) or libatomic (Fedora, openSUSE).' ;;
    *libstdc++*) fail 'Node.js needs libstdc++: install the package libstdc++6 (Debian, Ubuntu) or libstdc++ (others).' ;;
    *GLIBC* | *'not found'*) fail 'Node.js needs glibc 2.28 or newer; Alpine and other systems with musl cannot run it.' ;;
    *) fail 'The Node.js of this package does not run here. Nothing was installed.' ;;
  esac
}

if [ -n "$uninstall" ]; then take_out; else put_in; fi
