#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Whatever is not one decimal number is refused by every file: with an error that
# says so, and without a trace.

# shellcheck disable=SC2317 # the cases are called by name
. ./ktap_helpers.sh
. ./common.sh

work=$(mktemp -d)
mkdir "$work/in"

# Each file in here is one write.
make_hostile_values() {
	cd "$work/in" || return
	printf '\n' >newline
	printf ' ' >space
	printf '%s' '-1' >negative
	printf '%s' '-0' >negative_zero
	printf '%s' '+1' >plus
	printf '1 ' >trailing_space
	printf ' 1' >leading_space
	printf '1 2' >two_numbers
	printf '1\n2\n' >two_lines
	printf '1\n\n' >two_newlines
	printf '1\r\n' >carriage_return
	printf '\0' >nul
	printf '1\0' >number_and_nul
	printf '1\0002' >nul_inside
	printf '1\n\0' >newline_and_nul
	printf '0x1' >hexadecimal
	printf '1e1' >exponent
	printf '1.0' >fraction
	printf '1,' >comma
	printf 'one' >word
	printf '%%s%%n%%x' >format
	printf '\331\241' >arabic_digit
	printf '\377\376\375' >not_utf8
	printf '4294967296' >two_to_the_32
	printf '4294967297' >two_to_the_32_and_1
	printf '18446744073709551617' >two_to_the_64_and_1
	printf '99999999999999999999999' >large
	printf '000000000000000000000001' >many_zeros
	printf 'off ' >off_and_blank
	printf 'nth' >key
	printf 'nth=' >key_without_value
	printf 'nth=0' >nth_of_none
	printf 'nth=1 nth=2' >key_twice
	printf 'nth=1 every=2' >two_choices
	printf 'nth=1  times=2' >two_blanks
	printf 'nth=1 times=2' >nth_and_times
	printf 'every=1 seed=2' >seed_of_nothing
	printf 'every=1 fail=0' >plan_of_nothing
	printf 'every=1 fail=2' >two_failures
	printf 'every=-1' >every_negative
	printf 'every=1\n\n' >every_and_two_newlines
	printf 'every=3\n times=2' >newline_between
	printf 'off\n\n' >off_and_two_newlines
	printf 'every=4294967296' >every_huge
	printf 'percent=101' >more_than_all
	printf 'every=1 delay_us=10000001' >too_late
	printf 'every=1 pid=0' >no_task
	printf 'every=1 comm=' >nameless
	printf 'every=1 comm=sixteen_letters_' >long_comm
	printf 'every=1 caller=a\tb' >odd_caller
	printf 'times=3' >no_choice
	printf 'every=1 what=3' >unknown_key
	printf 'FX' >unknown_letter
	printf 'F-' >letter_and_none
	printf 'FZPU ' >letters_and_blank
	printf 'F sample=' >sample_without_value
	printf 'F sample=0' >sample_of_none
	printf 'F sample=-1' >sample_negative
	printf 'F sample=4294967296' >sample_huge
	printf 'F sample=2 ' >sample_and_blank
	printf 'F  sample=2' >letter_and_two_blanks
	printf 'F\tsample=2' >letter_and_tab
	printf 'every=1 caller=%0256d' 0 >long_caller
	head -c 64 /dev/zero >zeros
	head -c 1048576 /dev/urandom >megabyte_random
	head -c 1048576 /dev/zero | tr '\0' 1 >megabyte_digits
	head -c 1048576 /dev/zero | tr '\0' '\n' >megabyte_newlines
	cd - >/dev/null || return
}

# Ours: what the kernel's own fault injection takes is its affair.
writable_files() {
	find "$mpslab" -type f -perm -200 ! -path '*/fail_*' | sort
}

read_only_files() {
	find "$mpslab" -type f ! -perm -200 | sort
}

# Nothing that is said here is tested if the file is not there.
all_files_are_found() {
	for name in limit batchcount shared auto_size shrink reap grow refill drain \
		debug min_nr bypass_us reserve_first never_reclaim track setup pages \
		descriptors backend reserve; do
		writable_files | grep -q "/$name\$" || return
	done
	for name in slabinfo geometry cpus nodes balance errors validate alloc_traces \
		free_traces leaks stats waiters holders; do
		read_only_files | grep -q "/$name\$" || return
	done
}

# A tunable's value; nothing for a trigger, which can't be read.
content() {
	now=
	[ "$readable" = no ] || read -r now <"$1"
}

# refuses FILE INPUT: one write, as dd makes it with a large block.
refuses() {
	if dd if="$2" of="$1" bs=4M conv=notrunc 2>"$work/error"; then
		echo "# ${1##*/} took ${2##*/}"
		return 1
	fi
	read -r error <"$work/error"
	case $error in
	*'Invalid argument'|*'Numerical result out of range') return 0 ;;
	esac
	echo "# ${1##*/} on ${2##*/}: $error"
	return 1
}

# All inputs, even if one was taken, so that the log shows all of them.
refuses_everything() {
	bad=0
	readable=yes
	[ "$(stat -c %a "$1")" != 200 ] || readable=no
	content "$1"
	was=$now
	for input in "$work"/in/*; do
		refuses "$1" "$input" || bad=1
		content "$1"
		[ "$now" = "$was" ] || {
			echo "# ${1##*/}, which was $was, is $now after ${input##*/}"
			bad=1
		}
	done
	return "$bad"
}

# What would be refused anyway says nothing here; a 1 is not.
cannot_be_written() {
	printf '1\n' >"$work/one"
	refuses "$1" "$work/one" && refuses "$1" "$work/in/megabyte_random"
}

# A trigger takes a 1, so it is not that it refuses everything.
trigger_takes() {
	echo 1 >"$cache/$1" && ! echo 0 2>/dev/null >"$cache/$1" &&
		! echo 2 2>/dev/null >"$cache/$1"
}

# And a tunable takes what it had, with a newline and without.
tunable_takes_its_own() {
	was=$(cat "$1")
	printf '%s\n' "$was" >"$1" && printf '%s' "$was" >"$1" &&
		[ "$(cat "$1")" = "$was" ]
}

works_as_before() {
	balanced && load_runs 16 && nothing_lost &&
		balanced
}

label() {
	echo "${1#"$mpslab"/}"
}

ktap_print_header
if ! load_modules || ! make_hostile_values; then
	echo "Bail out! can't set up"
	exit 1
fi
ktap_set_plan $(($(writable_files | wc -l) + $(read_only_files | wc -l) + 16))
ktap_test_result "all files are there" all_files_are_found
for file in $(writable_files); do
	ktap_test_result "$(label "$file") refuses everything hostile" \
		refuses_everything "$file"
done
for file in $(read_only_files); do
	ktap_test_result "$(label "$file") can't be written" cannot_be_written "$file"
done
ktap_test_result "shrink takes 1 and only that" trigger_takes shrink
ktap_test_result "reap takes 1 and only that" trigger_takes reap
for file in "$cache/limit" "$cache/batchcount" "$cache/shared" "$cache/auto_size" \
	"$cache/debug" "$pool/min_nr" "$pool/bypass_us" "$pool/reserve_first" "$pool/never_reclaim" \
	"$pool/track"; do
	ktap_test_result "$(label "$file") takes its own value" tunable_takes_its_own "$file"
done
ktap_test_result "everything works as before" works_as_before
ktap_test_result "the kernel has nothing to complain about" no_complaints
ktap_test_result "the modules unload" unload_modules
ktap_finished
