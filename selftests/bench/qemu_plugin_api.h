/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The part of QEMU's plugin interface, version 1, that qemu_counts.c uses, as
 * docs/devel/tcg-plugins.rst of QEMU 7.2 describes it.  The distribution's package
 * has the interface but not its header.  Where QEMU says uint64_t this says
 * unsigned long, which is the same on every host that can run the guests.
 */
#ifndef MPSLAB_QEMU_PLUGIN_API_H
#define MPSLAB_QEMU_PLUGIN_API_H

#include <stdbool.h>
#include <stddef.h>

#define PLUGIN_EXPORT	__attribute__((visibility("default")))

struct qemu_plugin_tb;
struct qemu_plugin_insn;
struct qemu_info;

/* enum qemu_plugin_cb_flags, enum qemu_plugin_mem_rw */
#define QEMU_PLUGIN_CB_NO_REGS	0
#define QEMU_PLUGIN_MEM_W	2

void qemu_plugin_register_vcpu_tb_trans_cb(unsigned long id,
					   void (*fn)(unsigned long id, struct qemu_plugin_tb *tb));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *tb,
					  void (*fn)(unsigned int cpu, void *data),
					  int flags, void *data);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *insn,
					    void (*fn)(unsigned int cpu, void *data),
					    int flags, void *data);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *insn,
				      void (*fn)(unsigned int cpu, unsigned int info,
						 unsigned long vaddr, void *data),
				      int flags, int rw, void *data);
void qemu_plugin_reset(unsigned long id, void (*fn)(unsigned long id));

size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb,
						 size_t i);
const void *qemu_plugin_insn_data(const struct qemu_plugin_insn *insn);
size_t qemu_plugin_insn_size(const struct qemu_plugin_insn *insn);
unsigned long qemu_plugin_insn_vaddr(const struct qemu_plugin_insn *insn);
unsigned int qemu_plugin_mem_size_shift(unsigned int info);
bool qemu_plugin_mem_is_store(unsigned int info);

/* What a plugin has. */
extern int qemu_plugin_version;
int qemu_plugin_install(unsigned long id, const struct qemu_info *info,
			int argc, char **argv);

#endif /* MPSLAB_QEMU_PLUGIN_API_H */
