#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# vm.sh KERNEL JOB [mem=M] [smp=N] [nodes=N] [bare=N] [icount=1] [turns=1]
#       [limit=SECONDS] [run=DIR] [append=WORD]... [plugin=FILE] [overlay=DIR]
#       [TEST...]
#
# bare= is how many of the nodes, the last ones, have CPUs but no memory; append=
# adds a word to the kernel's command line; plugin= is one of QEMU's, told to write
# to DIR/counts; overlay= is what its root has besides.  For the job `bench`, TEST is a workload; with icount=1 it
# counts instructions, and wants smp=1.  With turns=1 one CPU runs at a time, and the
# next one when it comes to a PAUSE.
#
# Boot one guest on KERNEL (see kernel.sh), let it do JOB (see init), and judge
# it.  In DIR is what the guest leaves:
#
#   console  the kernel's log, with KUnit's results in it
#   output   what the job printed
#   verdict  the token that the guest was given, and the job's status
#   totals   cases passed, failed and skipped
#   clean    is there if it came to a good end and the kernel did not complain
#
# The guest has done well when the token is back with status 0, the kernel's log
# holds no complaint and, for tests, KTAP agrees with its plan.  Nothing is
# concluded from a line that the console merely happens to show.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/lib.sh"

name=$1 job=$2 run='' plugin='' overlay=''
shift 2
mem=1024 smp=4 nodes=2 bare=0 icount=0 turns=0 limit=''
append=()
case $name in uml|native) is_uml=1 mem=512 smp=2 ;; *) is_uml='' ;; esac
while [[ ${1:-} = *=* ]]; do
	case ${1%%=*} in
	mem|smp|nodes|bare|icount|turns|limit|run|plugin|overlay) declare "$1" ;;
	append) append+=("${1#*=}") ;;
	*) die "vm.sh: what is $1?" ;;
	esac
	shift
done

# What the kernel says when something is wrong.  mpslab's own reports on its
# users, "BUG <cache>: <what>", have no colon after BUG: the tests provoke them.
# So they do leaks that kmemleak suspects; whether some are left, init sees at the end.
complaints='WARNING:|BUG:|Oops|Kernel panic|Call Trace|KASAN|UBSAN|ODEBUG'
complaints+='|INFO: (task|rcu|trying|inconsistent|possible|suspicious)|general protection'
complaints+='|possible (circular|recursive)|inconsistent lock state|suspicious RCU'
complaints+='|unreferenced object|scheduling while atomic'
complaints+='|list_(add|del) corruption|BUG [^:]*Tainted|Bad page'
complaints+='|printk messages dropped|[Uu]nknown symbol|disagrees about version'

make_initramfs() {
	local root=$run/root ko

	mkdir -p "$root/bin" "$root/mods" "$root/selftests"
	cp "$busybox" "$root/bin/"
	ln -s busybox "$root/bin/sh"
	cp "$vm/init" "$root/"
	cp "$top"/selftests/*.sh "$root/selftests/" 2>/dev/null || :
	# For guests of this machine's kind; in others its script says that it is not.
	[ "$busybox" != /bin/busybox ] ||
		gcc -static -O2 -Wall -o "$root/bin/debugfs_fuzz" "$top/selftests/debugfs_fuzz.c"
	find "$modules" -name '*.ko' | while IFS= read -r ko; do
		"$tools"strip --strip-debug -o "$root/mods/${ko##*/}" "$ko"
	done
	printf '%s\n' >"$root/job" "job=$job" "tests='$*'" "out=$out" "verdict=$verdict" \
		"token=$token" "host=$host" "icount=$icount" "rows=$(tput lines 2>/dev/null || echo 24)" \
		"columns=$(tput cols 2>/dev/null || echo 80)"
	[ -z "$overlay" ] || cp -a "$overlay/." "$root/"
	(cd "$root" && find . | cpio --quiet -o -H newc) >"$run/initramfs"
	rm -r "$root"
}

# shellcheck disable=SC2054 # the comma is for UML
uml_guest() {
	guest=("$kernel/image" mem="${mem}M" ncpus="$smp" seccomp=on
		initrd="$run/initramfs" con=null con0=null,fd:1 panic=-1 panic_on_warn=1
		"${append[@]}")
}

# The memory of each node and its CPUs.
numa_nodes() {
	local each=$((mem / (nodes - bare))) node first last

	guest+=(-m "$((each * (nodes - bare)))M")
	for ((node = 0; node < nodes; node++)); do
		first=$((node * smp / nodes)) last=$(((node + 1) * smp / nodes - 1))
		if [ $node -lt $((nodes - bare)) ]; then
			guest+=(-object "memory-backend-ram,id=mem$node,size=${each}M"
				-numa "node,memdev=mem$node,cpus=$first-$last")
		else
			guest+=(-numa "node,cpus=$first-$last")
		fi
	done
}

qemu_arm64() {
	local cpu=max,pauth-impdef=on chardev

	guest=(qemu-system-aarch64 -M virt -accel "tcg,thread=multi" -cpu "$cpu"
		-serial file:"$run/console")
	for chardev in output verdict; do
		guest+=(-chardev "file,id=$chardev,path=$run/$chardev"
			-device "pci-serial,chardev=$chardev")
	done
	console=ttyAMA0
}

qemu_x86() {
	local serial accel=(-accel "tcg,thread=multi" -cpu max)

	# For ttyS0, ttyS1 and ttyS2.
	serial=(file:"$run/console" file:"$run/output" file:"$run/verdict")
	console=ttyS0
	case $job in
	demo)	# live, and kept as well
		serial=("${serial[0]}" chardev:out "${serial[2]}"
			-chardev "stdio,id=out,signal=off,logfile=$run/output")
		;;
	shell)
		serial=(mon:stdio file:"$run/console" "${serial[2]}")
		console=ttyS1
		;;
	esac
	# While identify_cpu() has no feature flags, KASAN forgets that it has five
	# levels of page tables, and an interrupt then looks wild to it.
	! has_config "$kernel" KASAN ||
		accel=(-accel "tcg,thread=multi" -cpu "max,la57=off")
	# Never KVM by itself: where /dev/kvm exists, a guest may still hang in it.
	[ -z "${KVM:-}" ] || accel=(-accel kvm -cpu host)
	# One nanosecond of the guest's clock is then one instruction.  Of the host's
	# time and randomness nothing comes in, so that runs repeat; -seed also makes
	# the CPU's random numbers (without which SLUB would have to wait for better
	# ones, and be slow with each slab that it shuffles).
	if [ "$icount" != 0 ]; then
		accel=(-accel "tcg,thread=single" -icount "shift=0,sleep=off" -seed 1
			-cpu max -rtc "base=2024-01-01,clock=vm")
		append+=(nokaslr)
	fi
	# A busy host may keep the timer from ticking while the kernel looks whether it
	# does, and the kernel panics.
	[ "$icount" != 0 ] || append+=(no_timer_check)
	# One thread for all CPUs.  -icount with more than one hangs QEMU 7.2.
	if [ "$turns" != 0 ]; then
		accel=(-accel "tcg,thread=single" -seed 1 -cpu "max,rdrand=off,rdseed=off")
		append+=(nokaslr)
	fi
	guest=(qemu-system-x86_64 -M pc "${accel[@]}"
		-serial "${serial[0]}" -serial "${serial[1]}" -serial "${serial[@]:2}")
}

qemu_guest() {
	local console

	"qemu_$arch"
	guest+=(-nodefaults -no-user-config -display none -no-reboot
		-smp "$smp,sockets=$nodes" -kernel "$kernel/image" -initrd "$run/initramfs"
		-append "console=$console panic=-1 panic_on_warn=1 oops=panic ${append[*]}")
	numa_nodes
	[ -z "$plugin" ] || guest+=(-plugin "$plugin,out=$run/counts")
}

failed=0
fail() {
	echo "  FAIL  $*"
	failed=$((failed + 1))
}

judge() {
	local found="" passed=0 failed_cases=0 skipped=0 ktap suites=0

	[ "$status" -ne 124 ] || fail "the guest was ended after $limit s"
	read -r found 2>/dev/null <"$run/verdict" || :
	case $found in
	"$token 0") ;;
	"$token "*) fail "the guest's job ended with status ${found#"$token "}" ;;
	*)
		fail "the guest never came to its verdict; its last words:"
		tail -n 5 "$run/console" | sed 's/^/        /'
		;;
	esac
	[ $failed -gt 0 ] || : >"$run/clean"
	if grep -aE "$complaints" "$run/console" >"$run/complaints"; then
		rm -f "$run/clean"
		fail "the kernel complained:"
		head -n 10 "$run/complaints" | sed 's/^/        /'
	fi
	case $job in
	kunit)
		ktap=$run/console
		suites=$(cat "$top"/kunit/*.c | grep -c '^kunit_test_suite(')
		;;
	selftests) ktap=$run/output ;;
	*)	   ktap= ;;
	esac
	if [ -n "$ktap" ]; then
		awk -f "$vm/ktap.awk" -v totals="$run/totals" -v suites="$suites" "$ktap"
		read -r passed failed_cases skipped <"$run/totals"
	fi
	failed=$((failed + failed_cases))
	echo "$passed $failed $skipped" >"$run/totals"
	[ $failed -eq 0 ] || echo "        all that the guest left: $run"
	[ $failed -eq 0 ]
}

if [ -n "$is_uml" ]; then
	need_packages "${build_packages[@]}" busybox-static
else
	need_packages "${build_packages[@]}" "${boot_packages[@]}"
fi
kernel=$("$vm/kernel.sh" "$name")
busybox=/bin/busybox tools='' arch=x86
if has_config "$kernel" ARM64; then
	need_packages "${arm64_packages[@]}"
	busybox=$("$vm/kernel.sh" busybox-arm64)/bin/busybox tools=aarch64-linux-gnu- arch=arm64
elif has_config "$kernel" X86_32; then
	busybox=$("$vm/kernel.sh" busybox-i386)/bin/busybox
fi
mem=${mem%M}
# The debug options make all of it many times slower.
if [ -z "$limit" ]; then
	limit=600
	! has_config "$kernel" 'KASAN\|KCSAN\|KMSAN\|PROVE_LOCKING' || limit=1800
fi
run=${run:-$(new_run)}

# One build of the modules for each kernel and each tree that they are built from.
modules=$cache/modules/$(basename "$(realpath "$kernel")")-$(cksum <<<"$top" | cut -d ' ' -f 1)
lock "modules-${modules##*/}"
progress "building the modules for $name" "$run/build" build_modules "$kernel" "$modules"
exec 9>&-

token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
case ${is_uml:+uml}-$job in
uml-*)	 host=$run out=/host/output verdict=/host/verdict ;;
*-shell) host='' out=/dev/ttyS0 verdict=/dev/ttyS2 ;;
*)	 host='' out=/dev/ttyS1 verdict=/dev/ttyS2 ;;
esac
# There the console is no ttyS.
[ "$arch" = x86 ] || out=/dev/ttyS0 verdict=/dev/ttyS1
make_initramfs "$@"

status=0
case ${is_uml:+uml}-$job in
uml-*)
	uml_guest
	# Braces, so that the shell's word on a guest that aborts is kept there too.
	{ timeout -k 5 "$limit" "${guest[@]}" </dev/null; } >"$run/console" 2>&1 || status=$?
	judge
	;;
*-shell)
	qemu_guest
	"${guest[@]}"
	;;
*)
	qemu_guest
	timeout --foreground -k 5 "$limit" "${guest[@]}" </dev/null || status=$?
	judge
	;;
esac
