#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# coverage.sh [HEADERS...]: what mpslab_dropin.h does with each name of the kernel's
# API, as a table for Documentation/dropin.rst, made from the headers of the stock
# kernel, the next and the newest source, or of the kernels in the directories given.
# Fails if there is a name that it can't account for.
#
# With --check, compare it with what Documentation/dropin.rst has.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../vm/lib.sh"

page=$top/Documentation/dropin.rst
mark='.. made by selftests/dropin/coverage.sh'
check=
[ "${1:-}" != --check ] || { check=1; shift; }

# headers KERNEL: where its include/linux is.
headers() {
	local dir
	dir=$("$vm/kernel.sh" "$1")
	case $1 in
	source*)	echo "$dir/include/linux" ;;
	*)		dirname "$(find "$dir/usr/src/" -path '*-common/include/linux/slab.h')" ;;
	esac
}

names=() dirs=("$@")
if [ $# -eq 0 ]; then
	dirs=("$(headers stock)" "$(headers next)" "$(headers source)")
	names=(6.1 6.12 7.3)
fi
[ ${#names[@]} -gt 0 ] || names=("${dirs[@]}")

# Why a name stays the kernel's; a pattern for each line.
stays='
kmem_cache_init.*|kvfree_rcu_init|kfree_rcu_scheduler_running	for mm/ only
kmem_cache_charge	refused: an object of a cache is charged with its page
kmem_cache_.*sheaf.*	refused: not for modules
kmem_buckets.*	caches that kmalloc() has, not the module
kfree_nolock|kfree_rcu_nolock|kfree_call_rcu_nolock	for memory of kmalloc_nolock() only
kvfree_rcu_barrier.*	also waits for what is the kernel'"'"'s; destroying a cache waits for its own
kmem_cache_debug.*|kmem_dump_obj|kmem_valid_obj	for reports of the kernel'"'"'s
kvfree_atomic	for memory of vmalloc()
'

table() {
	local i
	for i in "${!dirs[@]}"; do
		awk -v kernel="$i" '
		# Statements and macros, joined; comments and bodies do not matter.
		{ gsub(/\/\*[^*]*\*\//, "") }
		/^[ \t]*\*|^[ \t]*\/[\/*]/ { next }
		/^#[ \t]*define/ {
			name = $0
			sub(/^#[ \t]*define[ \t]+/, "", name)
			body = name
			sub(/[^A-Za-z0-9_].*/, "", name)
			sub(/^[A-Za-z0-9_]+/, "", body)
			while (body ~ /\\$/ && (getline line) > 0)
				body = body " " line
			print kernel, "macro", name, body
			next
		}
		/^DEFINE_FREE\(/ { next }
		/^[a-z]/ { gsub(/__(alloc|realloc)_size\([0-9, ]*\)/, "") }
		/^[a-z_].*\(|^[a-z_]+\(/ && !/;.*;/ {
			name = $0
			sub(/\(.*/, "", name)
			sub(/.*[ \t*]/, "", name)
			print kernel, /inline/ || before ~ /inline/ ? "inline" : "function", name
		}
		{ before = $0 }
		' "${dirs[$i]}/slab.h" "${dirs[$i]}/mempool.h" "${dirs[$i]}/rcupdate.h"
	done |
	awk -v kernels="${#dirs[@]}" -v reasons="$stays" -v columns="${names[*]}" '
	BEGIN {
		n = split(reasons, line, "\n")
		for (i = 1; i <= n; i++)
			if (split(line[i], part, "\t") == 2)
				reason[part[1]] = part[2]
		split(columns, column, " ")
		rule = "================================"
		for (i = 1; i <= kernels; i++)
			rule = rule " ========"
		print rule " =================================================="
		printf "%-32s", "name"
		for (i = 1; i <= kernels; i++)
			printf " %-8s", column[i]
		print " with the header"
		print rule " =================================================="
	}
	FILENAME != "-" {
		if ($1 == "#define") {
			sub(/\(.*/, "", $2)
			ours[$2] = $3
		}
		next
	}
	{
		if ($2 == "macro")
			body[$3] = body[$3] " " $0
		if ($3 !~ /^(kmem_cache_|KMEM_CACHE|mempool_|kv?free|ksize$|kv?realloc)/ ||
		    $3 ~ /_noprof$|^kmem_cache_args$|^kvfree_rcu_arg/)
			next
		kind[$3, $1] = $2
		names[$3] = 1
	}
	# A macro is ours if one that it is made of is.
	function through(name, depth,   word, words, i, k) {
		k = split(body[name], words, /[^A-Za-z0-9_]+/)
		for (i = 1; i <= k; i++) {
			word = words[i]
			if (word != name && word in ours)
				return word
		}
		for (i = 1; i <= k && depth < 4; i++) {
			word = words[i]
			if (word != name && word in body) {
				word = through(word, depth + 1)
				if (word)
					return word
			}
		}
		return ""
	}
	END {
		for (name in names) {
			text = ""
			if (name in ours)
				text = "``" (ours[name] ~ /^mpslab/ ? ours[name] : name) "``"
			else if (through(name, 0))
				text = "by ``" through(name, 0) "``"
			else
				for (pattern in reason)
					if (name ~ "^(" pattern ")$")
						text = "stays: " reason[pattern]
			if (!text) {
				text = "**gap**"
				gaps++
			}
			row = sprintf("%-32s", "``" name "``")
			for (i = 0; i < kernels; i++)
				row = row sprintf(" %-8s", (name, i) in kind ? kind[name, i] : "\\-")
			print row " " text | "sort"
		}
		close("sort")
		print rule " =================================================="
		exit gaps > 0
	}' <(cat "$top/mpslab_dropin.h") -
}

if [ -z "$check" ]; then
	table
	exit
fi
made=$(table)
have=$(awk -v mark="$mark" 'index($0, mark) { on = 1; getline; next } /^$/ && rows > 4 { on = 0 } on { print; rows++ }' "$page")
[ "$made" = "$have" ] || {
	diff <(echo "$have") <(echo "$made")
	exit 1
}
