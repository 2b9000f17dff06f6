#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh [WORD]: check the models, or only those whose line or file has WORD in it.
# The output is KTAP.  What a model says of itself must come true: that it holds, or
# how it fails when it is broken on purpose.

# shellcheck source-path=SCRIPTDIR/../selftests/vm
. "$(dirname "$0")/../selftests/vm/lib.sh"

word=${1:-}
models=$top/models
need_packages build-essential spin
herd=$("$models/herd.sh")
memory_model=$("$vm/kernel.sh" source)/tools/memory-model
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
number=0 failed=0

# result STATUS WHAT [LOG]
result() {
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number $2"
		return
	fi
	failed=$((failed + 1))
	echo "not ok $number $2"
	[ -z "${3:-}" ] || sed 's/^/# /' "$3" | tail -n 30
}

# ----------------------------------------------------------------------- litmus

# litmus FILE VARIANT WANTED: in a variant, lines that end in "// not: VARIANT" are
# gone, and those that begin with "//VARIANT:" are there.
litmus() {
	local name=${1##*/} what found test=$work/test.litmus log=$work/log
	name=${name%.litmus}
	what="$name${2:+ $2}"
	sed -e "s|^.*// not: ${2:--}\$||" -e "s|^\(\s*\)//${2:--}: |\1|" "$1" >"$test"
	if [ -n "$2" ] && cmp -s "$1" "$test"; then
		echo "nothing in $1 is for the variant $2" >"$log"
		result 1 "$what" "$log"
		return
	fi
	(cd "$memory_model" &&
		timeout 60 "$herd" -conf linux-kernel.cfg "$test") >"$log" 2>&1 || :
	# Whatever else it says (a race, a bad file) is more than was asked for.
	found=$(sed -n "s/^Observation $name \([A-Z][a-z]*\) .*/\1/p; /^Flag/p; /^Warning/p" "$log")
	if [ "$found" = "$3" ]; then
		result 0 "$what: ${found,}"
	else
		result 1 "$what: wanted ${3,}, found ${found:-nothing}" "$log"
	fi
}

all_litmus() {
	local file variant wanted

	for file in "$models"/litmus/*.litmus; do
		[[ $file == *"$word"* ]] || continue
		while read -r variant wanted; do
			litmus "$file" "${variant#Result}" "$wanted"
		done < <(sed -nE 's/^ \* (With |Without )?([A-Za-z-]+): (Never|Sometimes)$/\2 \3/p' "$file")
	done
}

# ------------------------------------------------------------------------- spin

# spin_run MODEL HOW WANTED DEFINES
spin_run() {
	local log=$work/log flags=(-DNOCLAIM -DSAFETY) run=() found states defines=()
	local define start=$SECONDS what="$1 $2 $4"

	for define in $4; do
		defines+=("-D$define")
	done
	[ "$2" = fine ] && defines+=(-DFINE)
	[ "$2" = live ] && flags=(-DNFAIR=3) run=(-a -f)
	rm -rf "$work/spin"
	mkdir "$work/spin"
	(
		cd "$work/spin"
		spin -a "${defines[@]}" "$models/spin/$1.pml" &&
			gcc -w -DCOLLAPSE -DVECTORSZ=2048 "${flags[@]}" -o pan pan.c &&
			timeout 200 ./pan "${run[@]}" -m5000000 -w22
	) >"$log" 2>&1 || :
	states=$(sed -n 's/^ *\([0-9.e+]*\) states, stored.*/\1/p' "$log")
	found=$(sed -n 's/^pan:[0-9]*: \(assertion violated\|acceptance cycle\|invalid end state\)/\1/p' "$log" |
		sed -n 's/ (at depth [0-9]*)$//; s/^assertion violated/assert:/; 1p')
	# Without the last line, or with a search cut short, nothing has been shown.
	if [ -z "$found" ] && grep -q 'errors: 0$' "$log" && [ -n "$states" ] &&
		! grep -q 'max search depth too small' "$log"; then
		found=holds
	fi
	if [[ -n $found && $found == *"${3#assert: }"* && (${3%%:*} != assert || $found == assert:*) ]]; then
		result 0 "$what: $found ($states states, $((SECONDS - start)) s)"
	else
		result 1 "$what: wanted $3, found ${found:-nothing}" "$log"
	fi
}

all_spin() {
	local model how wanted defines

	while IFS='|' read -r model how wanted defines; do
		[[ $model$how$wanted$defines == *"$word"* ]] || continue
		read -r model <<<"$model"
		read -r how <<<"$how"
		read -r wanted <<<"$wanted"
		spin_run "$model" "$how" "$wanted" "${defines# }"
	done < <(grep '|' "$models/runs")
}

echo "KTAP version 1"
all_litmus
all_spin
echo "1..$number"
echo "# Totals: pass:$((number - failed)) fail:$failed, in $SECONDS s"
[ "$failed" -eq 0 ] && [ "$number" -gt 0 ]
