// SPDX-License-Identifier: GPL-2.0
/*
 * A plugin for QEMU that counts what predicts how an allocator scales, and the
 * longest stretches with interrupts off and with a spinlock held.
 *
 *	-plugin qemu_counts.so,out=FILE
 *
 * The guest says by no-ops (bench_marks.h) what to count: each CPU from its own
 * START to its own STOP.  Until ARM nothing is looked at, so that the guest boots
 * at its usual speed.  At ROW, with all CPUs stopped, these lines go to FILE, in
 * which <text> is what the guest has sent bit by bit:
 *
 *	row,<text>,instructions,locked,locks,lines,lost
 *	irqs_off,<text>,instructions,times,pc,caller,its caller,its caller
 *	lock_hold,<text>,instructions,times,pc,caller,its caller,its caller
 *
 *	locked	instructions with a lock prefix, and exchanges with memory
 *	locks	spinlocks taken: a locked write to an address, then a plain write of
 *		a byte to the same by the same CPU, which is how one is let go
 *	lines	writes to a line of 64 bytes that another CPU wrote last.  The first
 *		write to a line in a row counts for nothing
 *	lost	writes that found no room in the table of lines: 0, or the rest is
 *		too low
 *
 * Interrupts are off from `cli`, if they were on, to `sti`; what follows an
 * interrupt's own entry is not seen.  The stretches that begin at one place in the
 * code, told apart by who called, give one line for each CPU: how long the longest
 * was, and how many there were.
 *
 * A CPU's counts are touched by its own thread alone, but for ROW; the lines'
 * table by all of them, by atomic operations.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_marks.h"
#include "qemu_plugin_api.h"

#define CPUS_MAX	256
#define TEXT_MAX	128
#define FRAMES		64	/* of the calls that are open, the innermost */
#define CALLERS		3
#define HELD_MAX	16	/* addresses that may be spinlocks now held */
#define SITES		1024
#define LINES		0x100000UL
#define LINES_PROBED	32

int qemu_plugin_version PLUGIN_EXPORT = 1;

/* An instruction that is worth a call, and where in its block it stands. */
struct insn {
	unsigned long pc;
	unsigned int behind;	/* instructions behind it in its block */
	unsigned int mark;
	bool locked;
};

/* Places in the code whose stretches are compared: the key, then the longest. */
struct site {
	unsigned long pc[1 + CALLERS];
	unsigned long longest;
	unsigned long times;
};

struct held {
	unsigned long addr;
	unsigned long since;
	struct site site;
};

struct vcpu {
	bool on;
	unsigned long now;	/* instructions to the end of this block */
	unsigned long start;
	unsigned long insns;
	unsigned long locked;
	unsigned long locks;
	unsigned long lines;
	unsigned long lost;
	bool irqs_off;
	unsigned long off_since;
	struct site off_site;
	struct held held[HELD_MAX];
	unsigned int held_next;
	unsigned long frames[FRAMES];
	unsigned int depth;
	struct site off_sites[SITES];
	struct site hold_sites[SITES];
	char text[TEXT_MAX];
	unsigned int bits;	/* of @text */
};

static unsigned long plugin_id;
static FILE *out;
static struct vcpu *vcpus[CPUS_MAX];
/* Number of a line, shifted, and below it the CPU that wrote it last. */
static unsigned long lines[LINES];

static struct vcpu *vcpu(unsigned int cpu)
{
	struct vcpu *v = vcpus[cpu % CPUS_MAX];

	if (v)
		return v;
	v = calloc(1, sizeof(*v));
	if (!v)
		abort();
	vcpus[cpu % CPUS_MAX] = v;
	return v;
}

/* Instructions of this CPU before this one. */
static unsigned long position(const struct vcpu *v, const struct insn *insn)
{
	return v->now - insn->behind - 1;
}

/* -------------------------------------------------------------------- sites -- */

static struct site site_here(const struct vcpu *v, unsigned long pc)
{
	struct site site = { .pc = { pc } };
	unsigned int i;

	for (i = 0; i < CALLERS && i < v->depth; i++)
		site.pc[1 + i] = v->frames[(v->depth - 1 - i) % FRAMES];
	return site;
}

/* A full table would hide things, so it must not get full. */
static void site_add(struct site *sites, const struct site *site,
		     unsigned long length)
{
	unsigned long hash = 0;
	unsigned int i;

	for (i = 0; i <= CALLERS; i++)
		hash = (hash ^ site->pc[i]) * 0x9e3779b97f4a7c15UL;
	hash >>= 32;
	for (i = 0; i < SITES; i++) {
		struct site *s = &sites[(hash + i) % SITES];

		if (!s->pc[0])
			*s = *site;
		else if (memcmp(s->pc, site->pc, sizeof(s->pc)))
			continue;
		if (s->longest < length)
			s->longest = length;
		s->times++;
		return;
	}
	fputs("qemu_counts: too many sites\n", stderr);
	abort();
}

static int longer(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	return (x->longest < y->longest) - (x->longest > y->longest);
}

static void sites_print(struct site *sites, const char *what, const char *text)
{
	unsigned int i;

	qsort(sites, SITES, sizeof(*sites), longer);
	for (i = 0; i < SITES && sites[i].times; i++)
		fprintf(out, "%s,%s,%lu,%lu,%lx,%lx,%lx,%lx\n", what, text,
			sites[i].longest, sites[i].times, sites[i].pc[0],
			sites[i].pc[1], sites[i].pc[2], sites[i].pc[3]);
	memset(sites, 0, SITES * sizeof(*sites));
}

/* -------------------------------------------------------------------- lines -- */

static void line_written(struct vcpu *v, unsigned int cpu, unsigned long addr)
{
	unsigned long line = addr >> 6, mine = line << 8 | (cpu + 1), seen;
	unsigned long hash = line * 0x9e3779b97f4a7c15UL >> 40;
	unsigned int i;

	for (i = 0; i < LINES_PROBED; i++) {
		unsigned long *entry = &lines[(hash + i) % LINES];

		seen = __atomic_load_n(entry, __ATOMIC_RELAXED);
		if (!seen && __atomic_compare_exchange_n(entry, &seen, mine, false,
							 __ATOMIC_RELAXED,
							 __ATOMIC_RELAXED))
			return;
		if (seen >> 8 != (mine >> 8))
			continue;
		if (seen != mine)
			v->lines += __atomic_exchange_n(entry, mine,
							__ATOMIC_RELAXED) != mine;
		return;
	}
	v->lost++;
}

/* -------------------------------------------------------------------- locks -- */

static void lock_perhaps_taken(struct vcpu *v, const struct insn *insn,
			       unsigned long addr)
{
	struct held *h;
	unsigned int i;

	for (i = 0; i < HELD_MAX; i++)
		if (v->held[i].addr == addr)
			return;
	h = &v->held[v->held_next++ % HELD_MAX];
	h->addr = addr;
	h->since = position(v, insn);
	h->site = site_here(v, insn->pc);
}

static void lock_perhaps_released(struct vcpu *v, const struct insn *insn,
				  unsigned long addr)
{
	unsigned int i;

	for (i = 0; i < HELD_MAX; i++) {
		struct held *h = &v->held[i];

		if (h->addr != addr)
			continue;
		v->locks++;
		site_add(v->hold_sites, &h->site, position(v, insn) - h->since);
		h->addr = 0;
		return;
	}
}

/* ------------------------------------------------------------------ callbacks -- */

static void on_block(unsigned int cpu, void *data)
{
	vcpu(cpu)->now += (uintptr_t)data;
}

static void on_write(unsigned int cpu, unsigned int info, unsigned long addr,
		     void *data)
{
	const struct insn *insn = data;
	struct vcpu *v = vcpu(cpu);

	/* QEMU 7.2 calls for loads as well, whatever it was asked for. */
	if (!v->on || !qemu_plugin_mem_is_store(info))
		return;
	line_written(v, cpu, addr);
	if (insn->locked)
		lock_perhaps_taken(v, insn, addr);
	else if (qemu_plugin_mem_size_shift(info) == 0)
		lock_perhaps_released(v, insn, addr);
}

static void on_locked(unsigned int cpu, void *data)
{
	struct vcpu *v = vcpu(cpu);

	v->locked += v->on;
}

static void on_call(unsigned int cpu, void *data)
{
	const struct insn *insn = data;
	struct vcpu *v = vcpu(cpu);

	v->frames[v->depth++ % FRAMES] = insn->pc;
}

static void on_return(unsigned int cpu, void *data)
{
	struct vcpu *v = vcpu(cpu);

	v->depth -= v->depth > 0;
}

static void on_cli(unsigned int cpu, void *data)
{
	const struct insn *insn = data;
	struct vcpu *v = vcpu(cpu);

	if (!v->on || v->irqs_off)
		return;
	v->irqs_off = true;
	v->off_since = position(v, insn);
	v->off_site = site_here(v, insn->pc);
}

static void on_sti(unsigned int cpu, void *data)
{
	const struct insn *insn = data;
	struct vcpu *v = vcpu(cpu);

	if (v->on && v->irqs_off)
		site_add(v->off_sites, &v->off_site,
			 position(v, insn) - v->off_since);
	v->irqs_off = false;
}

/* Nothing that began with interrupts on is still open: not what we look for. */
static void on_iret(unsigned int cpu, void *data)
{
	vcpu(cpu)->irqs_off = false;
}

/* -------------------------------------------------------------------- marks -- */

static void print_row(const char *text)
{
	struct vcpu sum = { 0 }, *v;
	unsigned int i;

	for (i = 0; i < CPUS_MAX; i++) {
		v = vcpus[i];
		if (!v)
			continue;
		sum.insns += v->insns;
		sum.locked += v->locked;
		sum.locks += v->locks;
		sum.lines += v->lines;
		sum.lost += v->lost;
		sites_print(v->off_sites, "irqs_off", text);
		sites_print(v->hold_sites, "lock_hold", text);
		v->insns = 0;
		v->locked = 0;
		v->locks = 0;
		v->lines = 0;
		v->lost = 0;
	}
	fprintf(out, "row,%s,%lu,%lu,%lu,%lu,%lu\n", text, sum.insns, sum.locked,
		sum.locks, sum.lines, sum.lost);
	fflush(out);
	memset(lines, 0, sizeof(lines));
}

static void on_mark(unsigned int cpu, void *data)
{
	const struct insn *insn = data;
	struct vcpu *v = vcpu(cpu);

	switch (insn->mark) {
	case MARK_START:
		v->on = true;
		v->start = position(v, insn) + 1;
		v->irqs_off = false;
		v->depth = 0;
		memset(v->held, 0, sizeof(v->held));
		break;
	case MARK_STOP:
		if (v->on)
			v->insns += position(v, insn) - v->start;
		v->on = false;
		break;
	case MARK_ROW:
		print_row(v->text);
		memset(v->text, 0, sizeof(v->text));
		v->bits = 0;
		break;
	case MARK_ZERO:
	case MARK_ONE:
		if (v->bits == 8 * (TEXT_MAX - 1))
			break;
		v->text[v->bits / 8] |= (insn->mark == MARK_ONE) << (7 - v->bits % 8);
		v->bits++;
	}
}

/* --------------------------------------------------------------- translation -- */

static int mark_of(const unsigned char *code, size_t size)
{
	unsigned int address;

	if (size != 7 || code[0] != 0x0f || code[1] != 0x1f || code[2] != 0x80)
		return -1;
	memcpy(&address, code + 3, sizeof(address));
	if (address < MARK_MAGIC || address >= MARK_MAGIC + MARK_NR)
		return -1;
	return address - MARK_MAGIC;
}

/* The first byte behind the prefixes; *@locked is set if one says so. */
static const unsigned char *skip_prefixes(const unsigned char *code,
					  const unsigned char *end, bool *locked)
{
	for (; code < end - 1; code++) {
		if (*code == 0xf0)
			*locked = true;
		else if (!memchr("\x66\x67\xf2\xf3\x2e\x36\x3e\x26\x64\x65", *code,
				 10) && (*code & 0xf0) != 0x40)
			break;
	}
	return code;
}

/* Who wants to hear of the instruction, if anybody. */
static void (*listener(const unsigned char *code, size_t size, bool *locked))
	(unsigned int cpu, void *data)
{
	const unsigned char *end = code + size;
	unsigned int reg;

	code = skip_prefixes(code, end, locked);
	reg = end - code > 1 ? code[1] >> 3 & 7 : 0;
	switch (*code) {
	case 0xfa:
		return on_cli;
	case 0xfb:
		return on_sti;
	case 0xcf:
		return on_iret;
	case 0xc2:
	case 0xc3:
		return on_return;
	case 0xe8:
		return on_call;
	case 0xff:
		if (reg == 2)
			return on_call;
		break;
	case 0x86:
	case 0x87:
		*locked |= end - code > 1 && code[1] >> 6 != 3;
	}
	return *locked ? on_locked : NULL;
}

static void listen(struct qemu_plugin_insn *i, unsigned int behind)
{
	const unsigned char *code = qemu_plugin_insn_data(i);
	size_t size = qemu_plugin_insn_size(i);
	struct insn *insn = calloc(1, sizeof(*insn));
	void (*fn)(unsigned int cpu, void *data);
	int mark = mark_of(code, size);

	if (!insn)
		abort();
	/* Never freed: translated code keeps the pointer. */
	insn->pc = qemu_plugin_insn_vaddr(i);
	insn->behind = behind;
	insn->mark = mark;
	fn = mark < 0 ? listener(code, size, &insn->locked) : on_mark;
	if (fn)
		qemu_plugin_register_vcpu_insn_exec_cb(i, fn,
						       QEMU_PLUGIN_CB_NO_REGS, insn);
	qemu_plugin_register_vcpu_mem_cb(i, on_write, QEMU_PLUGIN_CB_NO_REGS,
					 QEMU_PLUGIN_MEM_W, insn);
}

static void translate(unsigned long id, struct qemu_plugin_tb *tb)
{
	uintptr_t n = qemu_plugin_tb_n_insns(tb), i;

	qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, QEMU_PLUGIN_CB_NO_REGS,
					     (void *)n);
	for (i = 0; i < n; i++)
		listen(qemu_plugin_tb_get_insn(tb, i), n - i - 1);
}

static void armed(unsigned long id)
{
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
}

/* All code is translated anew, and calls us from then on. */
static void on_arm(unsigned int cpu, void *data)
{
	static int once;

	if (!__atomic_exchange_n(&once, 1, __ATOMIC_RELAXED))
		qemu_plugin_reset(plugin_id, armed);
}

static void translate_unarmed(unsigned long id, struct qemu_plugin_tb *tb)
{
	size_t n = qemu_plugin_tb_n_insns(tb), i;

	for (i = 0; i < n; i++) {
		struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);

		if (mark_of(qemu_plugin_insn_data(insn),
			    qemu_plugin_insn_size(insn)) == MARK_ARM)
			qemu_plugin_register_vcpu_insn_exec_cb(insn, on_arm,
							       QEMU_PLUGIN_CB_NO_REGS,
							       NULL);
	}
}

PLUGIN_EXPORT int qemu_plugin_install(unsigned long id,
				      const struct qemu_info *info, int argc,
				      char **argv)
{
	if (argc != 1 || strncmp(argv[0], "out=", 4)) {
		fputs("qemu_counts: wants out=FILE\n", stderr);
		return 1;
	}
	out = fopen(argv[0] + 4, "w");
	if (!out) {
		perror(argv[0] + 4);
		return 1;
	}
	plugin_id = id;
	qemu_plugin_register_vcpu_tb_trans_cb(id, translate_unarmed);
	return 0;
}
