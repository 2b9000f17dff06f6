#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# soak.sh: run ../soak.sh in a guest for MINUTES=, on KERNEL_KIND= (see
# ../vm/kernel.sh), with SEED= and THREADS= to repeat what went wrong; with CPUS= if
# the host has fewer than the guest, and most of its time goes by in waiting for locks
# whose holders do not run.

# shellcheck source-path=SCRIPTDIR
. "$(dirname "$0")/../vm/lib.sh"

kind=${KERNEL_KIND:-uml}
seconds=$((${MINUTES:-1} * 60))
run=$(new_run)
status=0
cpus=()
[ -z "${CPUS:-}" ] || cpus=(smp="$CPUS")

# The guest's clock may be slower than ours; and it has to boot, and to end.
"$vm/vm.sh" "$kind" selftests run="$run" "${cpus[@]}" limit=$((seconds * 3 / 2 + 300)) \
	append=mpslab_soak.seconds="$seconds" append=mpslab_soak.seed="${SEED:-0}" \
	append=mpslab_soak.threads="${THREADS:-0}" append=log_buf_len=4M soak.sh ||
	status=$?
[ ! -e "$run/output" ] || sed -n 's/^ *# */  /p' "$run/output"
grep -ao 'mpslab_soak: FAIL.*' "$run/console" || :
if [ $status -eq 0 ]; then
	echo "soaked for ${MINUTES:-1} min on $kind: all is well"
else
	echo "soaked on $kind: failed; all that the guest left: $run"
fi
exit $status
