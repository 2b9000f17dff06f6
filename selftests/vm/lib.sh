# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# What the host-side scripts share; sourced by each of them.

set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export vm=$top/selftests/vm
cache=${XDG_CACHE_HOME:-$HOME/.cache}/mpslab

# The options of the make that may have started this are not for those below it.
unset MAKEFLAGS MFLAGS

say() { printf '%s\n' "$*" >&2; }
die() { say "mpslab: $*"; exit 1; }

# One process at a time prepares a thing; the others then find it ready.
lock() {
	mkdir -p "$cache/lock"
	exec 9>"$cache/lock/$1"
	flock -n 9 || { say "waiting for another run that prepares: $1"; flock 9; }
}

# A new directory for what a run leaves; those of the last days are kept.
new_run() {
	local runs=$cache/log/run

	mkdir -p "$runs"
	find "$runs" -mindepth 1 -maxdepth 1 -mtime +3 -exec rm -r {} +
	mktemp -d "$runs/$(date +%m%d-%H%M%S)-XXXX"
}

# progress WHAT LOG COMMAND...: run a command that takes long, its output in a
# log, and show that it is alive: a line rewritten each second on a terminal, a
# new one each half minute elsewhere.
progress() {
	local what=$1 log=$2 start=$SECONDS ticker status=0
	shift 2
	mkdir -p "$(dirname "$log")"
	: >"$log"
	(
		every=30 end='\n'
		[ -t 2 ] && every=1 end='\r'
		while sleep 1 && kill -0 $$; do
			[ $(((SECONDS - start) % every)) -ne 0 ] ||
				printf "  %s: %d s, %d lines of output$end" "$what" \
					$((SECONDS - start)) "$(wc -l <"$log")" >&2
		done
	) 9>&- &
	ticker=$!
	"$@" >"$log" 2>&1 </dev/null || status=$?
	kill $ticker
	wait $ticker 2>/dev/null || :
	if [ $status -ne 0 ]; then
		tail -n 25 "$log" >&2
		die "$what: failed with status $status; all of it is in $log"
	fi
	[ ! -t 2 ] || printf '\r\033[K' >&2
	[ $((SECONDS - start)) -lt 5 ] || say "  $what: done in $((SECONDS - start)) s"
}

# Debian packages that the work at hand needs: installed where we may, asked for
# where we may not.  Nothing is contacted when all of them are there.
need_packages() {
	local missing=() as=() p

	command -v dpkg-query >/dev/null ||
		die "this sets itself up on Debian 12 or newer only; it wants: $*"
	for p; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$p" 2>/dev/null)" = installed ] ||
			missing+=("$p")
	done
	[ ${#missing[@]} -gt 0 ] || return 0

	if [ "$(id -u)" -ne 0 ]; then
		sudo -n true 2>/dev/null ||
			die "please install what is missing:
  sudo apt-get install --no-install-recommends ${missing[*]}"
		as=(sudo -n)
	fi
	progress "apt-get update" "$cache/log/apt-update" \
		"${as[@]}" apt-get -q update
	progress "installing ${missing[*]}" "$cache/log/apt-install" \
		"${as[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qy \
		install --no-install-recommends "${missing[@]}"
}

# shellcheck disable=SC2034 # for those who source this
build_packages=(build-essential bc bison cpio flex libelf-dev xz-utils)
# shellcheck disable=SC2034 # likewise
boot_packages=(busybox-static qemu-system-x86)
# shellcheck disable=SC2034 # likewise
arm64_packages=(gcc-aarch64-linux-gnu qemu-system-arm)
# The newest of Debian 12; compiler and package in one word.
# shellcheck disable=SC2034 # likewise
clang="clang-19"

# has_config KERNEL OPTION: is it on in the kernel in the directory KERNEL?
has_config() {
	grep -q "^CONFIG_\($2\)=y" "$1/build/.config"
}

# build_modules KERNEL OUT [VARIABLE=VALUE...]: the module, the client and, if
# the kernel has KUnit, the suites, for the kernel in the directory KERNEL.  OUT
# gets copies of the sources, so that builds for several kernels neither meet
# each other nor leave anything beside the sources.
build_modules() {
	local build=$1/build out=$2 flags=()

	if has_config "$1" UML; then
		flags=(ARCH=um)
	elif has_config "$1" X86_32; then
		flags=(ARCH=i386)
	elif has_config "$1" ARM64; then
		flags=(ARCH=arm64 CROSS_COMPILE=aarch64-linux-gnu-)
	elif has_config "$1" CC_IS_CLANG; then
		flags=(CC="$clang")
	fi
	shift 2
	mkdir -p "$out"
	(
		cd "$top"
		# Only what differs, so that make builds all that does, and no more.
		find Kbuild ./*.[ch] kunit selftests ! -name '*.mod.c' \
			\( -name '*.[ch]' -o -name Kbuild \) |
			while IFS= read -r file; do
				cmp -s "$file" "$out/$file" || install -D -m 644 "$file" "$out/$file"
			done
	)
	# Without types for BPF: newer headers have what it takes, but for pahole.
	make -C "$build" M="$out" "${flags[@]}" CONFIG_DEBUG_INFO_BTF_MODULES= \
		MPSLAB_CLIENT=m -j"$(nproc)" "$@"
}
