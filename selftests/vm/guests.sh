# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# Running guests with tests, and adding up; sourced by those who do.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

runs=$(new_run)
passed=0 failed=0 skipped=0 unclean=0

# guest KERNEL JOB [OPTION...] [TEST...]
guest() {
	local start=$SECONDS run p=0 f=1 s=0 status=0

	run=$(mktemp -d "$runs/$1-$2-XXXX")
	echo "$1: ${*:2}"
	"$vm/vm.sh" "$1" "$2" run="$run" "${@:3}" || status=$?
	[ ! -s "$run/totals" ] || read -r p f s <"$run/totals"
	# Not even a guest to judge.
	[ $status -eq 0 ] || [ "$f" -gt 0 ] || f=1
	printf '  passed %d, failed %d, skipped %d in %d s\n' "$p" "$f" "$s" $((SECONDS - start))
	passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
	[ -e "$run/clean" ] || unclean=$((unclean + 1))
}

# find_scripts: those that share a guest, and those that ask for their own by a
# comment such as
#	# vm: mem=256M smp=2
# whose words are the options of vm.sh.
find_scripts() {
	local script name

	shared_scripts=() own_scripts=()
	for script in "$top"/selftests/*.sh; do
		name=${script##*/}
		if [ ! -x "$script" ] || [ "$name" = demo.sh ]; then
			continue
		elif grep -q '^# vm: ' "$script"; then
			own_scripts+=("$name")
		else
			shared_scripts+=("$name")
		fi
	done
}

# own_guest KERNEL SCRIPT [OPTION...]
own_guest() {
	local options

	read -ra options < <(sed -n 's/^# vm: //p' "$top/selftests/$2")
	guest "$1" selftests "${options[@]}" "${@:3}" "$2"
}
