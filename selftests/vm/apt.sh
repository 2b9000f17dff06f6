# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Packages of Debian unpacked into the cache, not installed.  Sourced after lib.sh.
#
# shellcheck disable=SC2154 # lib.sh sets $cache

# A directory counts once .complete is in it, written last: a kernel's build tree
# holds its own path, so that it can't be made elsewhere and then renamed.  What
# an interrupted run left is made again.
cached() {
	local mark
	mark=$(find "$cache" -maxdepth 2 -path "$cache/$1/.complete" 2>/dev/null |
		sort -V | tail -n 1)
	[ -n "$mark" ] && dirname "$mark"
}

complete() {
	touch "$1/.complete"
	printf '%s\n' "$1"
}

# private_apt NAME [SOURCES [ARCHITECTURE]]: from here on, apt works in a directory
# of its own, which needs no root, with lists of today, from the sources given or
# else from the machine's.  Lists of packages' contents, which apt-file asks for, are large.
private_apt() {
	local apt=$cache/apt-$1

	rm -rf "$apt"
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial"
	: >"$apt/status"
	cat >"$apt/conf" <<-END
		Dir::State "$apt";
		Dir::State::status "$apt/status";
		Dir::Cache "$apt/cache";
		Acquire::Retries "3";
		Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
		Acquire::IndexTargets::deb::Contents-deb-legacy::DefaultEnabled "false";
	END
	[ -z "${3:-}" ] || cat >>"$apt/conf" <<-END
		#clear APT::Architectures;
		APT::Architecture "$3";
		APT::Architectures { "$3"; };
	END
	if [ -n "${2:-}" ]; then
		printf '%s\n' "$2" >"$apt/sources.list"
		cat >>"$apt/conf" <<-END
			Dir::Etc::sourcelist "$apt/sources.list";
			Dir::Etc::sourceparts "-";
		END
	fi
	export APT_CONFIG=$apt/conf
	progress "reading package lists" "$cache/log/apt-$1" apt-get -q update
}

# download DIR PACKAGE...: unpack packages, without installing them.
download() {
	local dir=$1 deb
	shift
	rm -rf "$dir"
	mkdir -p "$dir/deb"
	(cd "$dir/deb" && progress "downloading $*" "$cache/log/download" apt-get -q download "$@")
	for deb in "$dir"/deb/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	rm -r "$dir/deb"
}

# debian_suite SUITE: apt's line for a suite, of the site that this machine uses
# anyway; `-` is the suite that the machine is of.
debian_suite() {
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg site suite

	# shellcheck disable=SC2016 # apt expands it
	read -r site suite < <(apt-get indextargets --format '$(SITE) $(CODENAME)' \
		'Created-By: Packages' 'Origin: Debian' 'Label: Debian') ||
		die "apt uses no site of Debian here"
	[ "$1" = - ] || suite=$1
	echo "deb [signed-by=$keyring] $site $suite main"
}
