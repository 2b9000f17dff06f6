# SPDX-License-Identifier: GPL-2.0
#
# What can be done; Kbuild says what is built.

KDIR ?= /lib/modules/$(shell uname -r)/build
vm := selftests/vm

# The guests' scripts get these as the user gave them, and have defaults of
# their own: the KDIR above is this machine's.
ifneq ($(origin KDIR),file)
export KDIR
endif
export KERNEL UML KVM ACCEPT BENCH_DIR KERNELS MINUTES SEED THREADS KERNEL_KIND

.PHONY: module install clean test test-debug test-matrix dropin \
	test-dropin demo shell check models bench bench-quick soak help

module: ## build mpslab.ko for the running kernel, or the headers in KDIR=
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules

install: module ## install it where modprobe finds it
	$(MAKE) -C $(KDIR) M=$(CURDIR) modules_install

clean: ## remove what was built here
	$(MAKE) -C $(KDIR) M=$(CURDIR) MPSLAB_CLIENT=m clean

demo: ## watch it work, in a guest with the stock kernel
	@$(vm)/vm.sh stock demo

test: ## KUnit under UML, the scripts on the stock kernel
	@$(vm)/test.sh

test-debug: ## both on a kernel with KASAN, lockdep and kmemleak
	@$(vm)/test.sh debug

test-matrix: ## both on all kernels and machines that are tested, or some ROWS=
	@$(vm)/matrix.sh $(ROWS)

shell: ## a shell in a guest, the module loaded
	@$(vm)/vm.sh stock shell

dropin: module ## build the driver in MODULE= on mpslab, its source as it is
	@KDIR='$(KDIR)' selftests/dropin/dropin.sh "$(MODULE)"

test-dropin: ## XFS, drivers/md and others on mpslab, in guests
	@selftests/dropin/test.sh

check: ## checkpatch, sparse, warnings, kernel-doc, layering, shellcheck
	@$(vm)/check.sh

models: ## check the models of what runs without a lock: spin, herd7
	@models/run.sh $(MODEL)

bench: ## measure all against the kernel's allocators, with plots
	@selftests/bench/bench.sh full

bench-quick: ## count instructions, compare with the committed baseline
	@selftests/bench/bench.sh quick

soak: ## all at once, from a seed, for MINUTES= (1) on KERNEL_KIND= (uml)
	@selftests/soak/soak.sh

help: ## print this
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20
	@echo 'Variables: KDIR= headers to build against; KERNEL= (with KDIR=) a bzImage to boot'
	@echo 'instead of the stock kernel; UML= a UML build tree; KVM=1 not to emulate;'
	@echo 'ACCEPT=1 to make what bench-quick counts the baseline; BENCH_DIR= for what'
	@echo 'bench leaves (bench-results), KERNELS= for some of its kernels only; SEED= and'
	@echo 'THREADS= to repeat a soak, CPUS=; ROWS="kcsan rt" for those rows of test-matrix that'
	@echo 'have one of these words in their name.'
