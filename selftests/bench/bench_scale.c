// SPDX-License-Identifier: GPL-2.0
/*
 * Workloads for the counting plugin (qemu_counts.c); without it they run and give
 * no rows.  They are told what they count by marks, and the plugin writes what was
 * counted to a file of the host's, under the text that is sent here.
 *
 * They want one emulated thread for all CPUs (vm.sh icount=1).  There a CPU runs
 * until it says PAUSE, and the next one goes on.  The threads say so after each
 * operation, so the operations of all CPUs alternate: what one CPU leaves in a
 * line or a list is met by the others at once, in every run nearly alike.
 * Interrupts are off meanwhile, as the ticks of 64 CPUs would count, too.
 * GFP_KERNEL all the same, as allocators take other ways without it; with as much
 * memory as these guests have nobody sleeps.
 */
#include <linux/atomic.h>
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/irqflags.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/processor.h>
#include <linux/sched.h>

#include "bench.h"
#include "bench_marks.h"

/* -------------------------------------------------------------------- marks -- */

#ifdef __x86_64__

#define HAVE_MARKS	1
#define MARK_CODE(nr)	"nopl " __stringify(MARK_MAGIC) " + " __stringify(nr) "(%%rax)\n"

static __always_inline void mark(unsigned int nr)
{
	asm volatile("nopl %c0(%%rax)" : : "i" (MARK_MAGIC + nr) : "memory");
}

#else

#define HAVE_MARKS	0

static inline void mark(unsigned int nr)
{
}

#endif

static void send_char(unsigned char c)
{
	unsigned int bit;

	for (bit = 0x80; bit; bit >>= 1) {
		if (c & bit)
			mark(MARK_ONE);
		else
			mark(MARK_ZERO);
	}
}

/* What was counted since the last row goes to the host as this. */
static void count_row(const char *workload, unsigned int size, unsigned int n,
		      enum bench_who who, unsigned int ops)
{
	char text[100], *c = text;

	snprintf(text, sizeof(text), "%s,%u,%u,%s,%u", workload, size, n,
		 bench_name(who), ops);
	preempt_disable();
	for (; *c; c++)
		send_char(*c);
	mark(MARK_ROW);
	preempt_enable();
}

/* From here on the plugin sees all; it needs a moment to get there. */
static int arm(void)
{
	if (!HAVE_MARKS)
		return -EOPNOTSUPP;
	mark(MARK_ARM);
	msleep(100);
	return 0;
}

/* -------------------------------------------------------------- threads in turn -- */

#define RING		256

/**
 * struct scale_ring - objects on their way from one CPU to the next
 * @entry: the objects
 * @head: how many were put in; by the owner
 * @tail: how many were taken out; by the next CPU
 *
 * Each line of it has one writer, so that the lines that wander are the
 * allocator's.
 */
struct scale_ring {
	void *entry[RING];
	unsigned int head ____cacheline_aligned;
	unsigned int tail ____cacheline_aligned;
} ____cacheline_aligned;

/**
 * struct scale_cpu - a thread of a case, bound to a CPU
 * @set: argument of its loops
 * @ring: what it gives away
 * @from: what it is given
 * @loop: what it does
 * @remote: frees of objects of another node than the CPU's
 * @team: all of them
 */
struct scale_cpu {
	struct bench_set set;
	struct scale_ring *ring;
	struct scale_ring *from;
	bench_loop_t loop;
	unsigned long remote;
	struct scale_team *team;
};

/**
 * struct scale_team - the threads of a case
 * @nr: how many
 * @arrived: at the point where they wait for each other; goes on rising
 * @left: threads not done
 * @done: none is left
 * @cpu: the threads
 */
struct scale_team {
	unsigned int nr;
	atomic_t arrived;
	atomic_t left;
	struct completion done;
	struct scale_cpu cpu[];
};

/* Rounds of a thread; in the first, arrays and lists fill, and nothing counts. */
#define SCALE_ROUNDS	4

static void team_gather(struct scale_team *team, unsigned int round)
{
	atomic_inc(&team->arrived);
	while (atomic_read(&team->arrived) < team->nr * (round + 1))
		cpu_relax();
}

static int scale_thread(void *data)
{
	struct scale_cpu *c = data;
	struct scale_team *team = c->team;
	unsigned int round;

	for (round = 0; round < SCALE_ROUNDS; round++) {
		team_gather(team, round);
		local_irq_disable();
		if (round)
			mark(MARK_START);
		c->loop(&c->set);
		if (round)
			mark(MARK_STOP);
		local_irq_enable();
		cond_resched();
	}
	if (atomic_dec_and_test(&team->left))
		complete(&team->done);
	/* Who waits sees to it that the module stays. */
	return 0;
}

static struct scale_team *team_create(unsigned int nr, unsigned int turns,
				      const struct bench_set *set,
				      bench_loop_t loop)
{
	struct scale_team *team = kvzalloc(struct_size(team, cpu, nr), GFP_KERNEL);
	struct scale_ring *rings = kvcalloc(nr, sizeof(*rings), GFP_KERNEL);
	unsigned int i;

	if (!team || !rings) {
		kvfree(team);
		kvfree(rings);
		return NULL;
	}
	team->nr = nr;
	init_completion(&team->done);
	for (i = 0; i < nr; i++) {
		struct scale_cpu *c = &team->cpu[i];

		c->set = *set;
		c->set.turns = turns;
		c->ring = &rings[i];
		c->from = &rings[(i + nr - 1) % nr];
		c->loop = loop;
		c->team = team;
	}
	return team;
}

static void team_free(struct scale_team *team)
{
	kvfree(team->cpu[0].ring);
	kvfree(team);
}

/* Start a thread on each of the first CPUs, and wait for all. */
static int team_run(struct scale_team *team)
{
	struct task_struct **tasks;
	unsigned int i = 0, cpu;

	tasks = kcalloc(team->nr, sizeof(*tasks), GFP_KERNEL);
	if (!tasks)
		return -ENOMEM;
	for_each_online_cpu(cpu) {
		if (i == team->nr)
			break;
		tasks[i] = kthread_create_on_node(scale_thread, &team->cpu[i],
						  cpu_to_node(cpu), "scale/%u", cpu);
		if (IS_ERR(tasks[i]))
			break;
		kthread_bind(tasks[i], cpu);
		get_task_struct(tasks[i]);
		i++;
	}
	/* All or none: each waits for the others. */
	atomic_set(&team->left, i);
	cpu = i;
	for (i = 0; i < cpu; i++) {
		if (cpu == team->nr)
			wake_up_process(tasks[i]);
		else
			kthread_stop(tasks[i]);
	}
	if (cpu == team->nr)
		wait_for_completion(&team->done);
	for (i = 0; i < cpu; i++) {
		if (cpu == team->nr)
			kthread_stop(tasks[i]);
		put_task_struct(tasks[i]);
	}
	kfree(tasks);
	return cpu == team->nr ? 0 : -ENOMEM;
}

/* -------------------------------------------------------------- the workloads -- */

static __always_inline void scale_pair(enum bench_who who, struct bench_set *set)
{
	unsigned int turns = set->turns;

	while (turns--) {
		bench_free(who, set->handle[who],
			   bench_alloc(who, set->handle[who], GFP_KERNEL));
		cpu_relax();
	}
}

BENCH_CACHE_LOOPS(scale_pair);

#define SCALE_BURST	256

static __always_inline void scale_burst(enum bench_who who, struct bench_set *set)
{
	struct scale_cpu *c = container_of(set, struct scale_cpu, set);
	void **objs = c->ring->entry;
	unsigned int turns = set->turns, i;

	for (; turns >= SCALE_BURST; turns -= SCALE_BURST) {
		for (i = 0; i < SCALE_BURST; i++) {
			objs[i] = bench_alloc(who, set->handle[who], GFP_KERNEL);
			cpu_relax();
		}
		for (i = 0; i < SCALE_BURST; i++) {
			bench_free(who, set->handle[who], objs[i]);
			cpu_relax();
		}
	}
}

BENCH_CACHE_LOOPS(scale_burst);

/* Objects that are under way while the ring is in use. */
#define RING_LAG	(RING / 2)

static __always_inline bool ring_take(enum bench_who who, struct scale_cpu *c,
				      unsigned int lag)
{
	struct scale_ring *ring = c->from;
	void *obj;

	/* Pairs with the release in scale_ring(): the entry is there. */
	if (smp_load_acquire(&ring->head) - ring->tail <= lag)
		return false;
	obj = ring->entry[ring->tail % RING];
	if (who != BENCH_LOOP && who != BENCH_FLOOR)
		c->remote += page_to_nid(virt_to_page(obj)) != numa_node_id();
	bench_free(who, c->set.handle[who], obj);
	/* Pairs with the acquire in scale_ring(). */
	smp_store_release(&ring->tail, ring->tail + 1);
	return true;
}

/* Allocate for the next CPU, free what the one before allocated. */
static __always_inline void scale_ring(enum bench_who who, struct bench_set *set)
{
	struct scale_cpu *c = container_of(set, struct scale_cpu, set);
	struct scale_ring *ring = c->ring;
	unsigned int turns = set->turns, taken = 0;
	void *obj;

	while (turns--) {
		obj = bench_alloc(who, set->handle[who], GFP_KERNEL);
		/* Pairs with the release in ring_take(): the entry is free. */
		while (ring->head - smp_load_acquire(&ring->tail) == RING) {
			taken += ring_take(who, c, 0);
			cpu_relax();
		}
		ring->entry[ring->head % RING] = obj;
		/* Pairs with the acquire in ring_take(). */
		smp_store_release(&ring->head, ring->head + 1);
		taken += ring_take(who, c, RING_LAG);
		cpu_relax();
	}
	while (taken < set->turns) {
		taken += ring_take(who, c, 0);
		cpu_relax();
	}
}

BENCH_CACHE_LOOPS(scale_ring);

/* Pairs of each round, on all CPUs together; at least as many on each as below. */
#define SCALE_PAIRS	16384
#define SCALE_PAIRS_MIN	1024
#define SCALE_SIZE	256
/*
 * The size that arrays have at first: they find theirs by the trips in a time, and
 * 64 emulated CPUs are too slow for that.
 */
#define SCALE_CAPACITY	120

static int scale_case(const char *name, unsigned int nr, enum bench_who who,
		      const struct bench_set *set, bench_loop_t loop)
{
	unsigned int turns = max(SCALE_PAIRS / nr, SCALE_PAIRS_MIN);
	unsigned int ops = turns * nr * (SCALE_ROUNDS - 1), i;
	unsigned long remote = 0;
	struct scale_team *team;
	int err;

	team = team_create(nr, turns, set, loop);
	if (!team)
		return -ENOMEM;
	err = team_run(team);
	for (i = 0; i < nr; i++)
		remote += team->cpu[i].remote;
	team_free(team);
	if (err)
		return err;
	count_row(name, SCALE_SIZE, nr, who, ops);
	if (loop == scale_ring_loops[who] && who != BENCH_LOOP)
		bench_row("scale_ring_remote", SCALE_SIZE, nr, bench_name(who),
			  div_u64(remote * 1000000000ULL,
				  turns * nr * SCALE_ROUNDS), "per_M");
	return 0;
}

static int scale_all(const char *name, const bench_loop_t *loops)
{
	static const enum bench_who whos[] = {
		BENCH_LOOP, BENCH_MPSLAB, BENCH_KMEM_CACHE
	};
	struct bench_set set;
	unsigned int nr, i;
	int err = 0;

	for (nr = 1; nr <= num_online_cpus() && !err; nr *= 2) {
		for (i = 0; i < ARRAY_SIZE(whos) && !err; i++) {
			err = bench_set_init_with(&set, SCALE_SIZE, 0, 0,
						  SCALE_CAPACITY);
			if (err)
				break;
			err = scale_case(name, nr, whos[i], &set, loops[whos[i]]);
			bench_set_exit(&set);
		}
	}
	return err;
}

static int run_scale(void)
{
	int err = arm();

	if (!err)
		err = scale_all("scale_pair", scale_pair_loops);
	if (!err)
		err = scale_all("scale_burst", scale_burst_loops);
	if (!err)
		err = scale_all("scale_ring", scale_ring_loops);
	return err;
}

/* ------------------------------------------------------------ is the plugin right? -- */

#ifdef __x86_64__

/* 2,001 instructions. */
static void check_insns(void)
{
	unsigned long flags;

	local_irq_save(flags);	/* a handler would count, too */
	asm volatile(MARK_CODE(MARK_START)
		     "mov $1000, %%ecx\n"
		     "1: dec %%ecx\n"
		     "jnz 1b\n"
		     MARK_CODE(MARK_STOP) : : : "ecx", "memory");
	local_irq_restore(flags);
	count_row("check_insns", 0, 0, BENCH_LOOP, 1);
}

/* 1,500 that lock: two of three in each of 500 turns by prefix, one by itself. */
static void check_locked(void)
{
	unsigned int word = 0;
	unsigned long flags;

	local_irq_save(flags);	/* a handler would count, too */
	asm volatile(MARK_CODE(MARK_START)
		     "mov $500, %%ecx\n"
		     "1: lock incl %0\n"
		     "lock xadd %%eax, %0\n"
		     "xchg %%eax, %0\n"
		     "xchg %%eax, %%edx\n"
		     "dec %%ecx\n"
		     "jnz 1b\n"
		     MARK_CODE(MARK_STOP)
		     : "+m" (word) : : "eax", "ecx", "edx", "memory");
	local_irq_restore(flags);
	count_row("check_locked", 0, 0, BENCH_LOOP, 1);
}

/* Interrupts off for 101 instructions, sti among them, and then for 11. */
static void check_irqs_off(void)
{
	asm volatile(MARK_CODE(MARK_START)
		     "cli\n"
		     "cli\n"
		     ".rept 99\n nop\n .endr\n"
		     "sti\n"
		     "cli\n"
		     ".rept 10\n nop\n .endr\n"
		     "sti\n"
		     MARK_CODE(MARK_STOP) : : : "memory");
	count_row("check_irqs_off", 0, 0, BENCH_LOOP, 1);
}

/* A spinlock's word held for 51 instructions; another write is no release. */
static void check_lock_hold(void)
{
	u32 words[32] = {};
	unsigned long flags;

	local_irq_save(flags);	/* a handler would count, too */
	asm volatile(MARK_CODE(MARK_START)
		     "xor %%eax, %%eax\n"
		     "mov $1, %%ecx\n"
		     "lock cmpxchg %%ecx, %0\n"
		     "movb $0, %1\n"
		     ".rept 49\n nop\n .endr\n"
		     "movb $0, %0\n"
		     MARK_CODE(MARK_STOP)
		     : "+m" (words[0]), "+m" (words[16])
		     : : "eax", "ecx", "memory");
	local_irq_restore(flags);
	count_row("check_lock_hold", 0, 0, BENCH_LOOP, 1);
}

/* Two CPUs write the same line in turns; all but the very first are counted. */
static void check_lines_loop(struct bench_set *set)
{
	struct scale_cpu *c = container_of(set, struct scale_cpu, set);
	unsigned int me = c - c->team->cpu, turns = set->turns;
	unsigned int *line = &c->team->cpu[0].ring->tail;

	while (turns--) {
		while (READ_ONCE(*line) % 2 != me)
			cpu_relax();
		WRITE_ONCE(*line, *line + 1);
	}
}

static int check_lines(void)
{
	struct bench_set set = {};
	struct scale_team *team = team_create(2, 1000, &set, check_lines_loop);
	int err;

	if (!team)
		return -ENOMEM;
	err = team_run(team);
	team_free(team);
	if (!err)
		count_row("check_lines", 0, 2, BENCH_LOOP, 1);
	return err;
}

static int run_scale_check(void)
{
	int err = arm();

	if (err)
		return err;
	preempt_disable();
	check_insns();
	check_locked();
	check_irqs_off();
	check_lock_hold();
	preempt_enable();
	return num_online_cpus() > 1 ? check_lines() : 0;
}

#else

static int run_scale_check(void)
{
	return -EOPNOTSUPP;
}

#endif

/* ------------------------------------------------------------- interrupts off -- */

#define OFF_SIZE	256
#define OFF_OBJECTS	100000

/**
 * struct off_case - something whose stretches with interrupts off are looked for
 * @name: of the row
 * @objects: how many are allocated before
 * @free: every so manieth of them is freed before; 0 for none
 * @run: what is looked at
 */
struct off_case {
	const char *name;
	unsigned int objects;
	unsigned int free;
	void (*run)(enum bench_who who, struct bench_set *set);
};

static void *off_alloc(enum bench_who who, struct bench_set *set)
{
	if (who == BENCH_MPSLAB)
		return mpslab_cache_alloc(set->handle[who], GFP_KERNEL);
	return kmem_cache_alloc(set->handle[who], GFP_KERNEL);
}

static void off_free(enum bench_who who, struct bench_set *set, void *obj)
{
	if (!obj)
		return;
	if (who == BENCH_MPSLAB)
		mpslab_cache_free(set->handle[who], obj);
	else
		kmem_cache_free(set->handle[who], obj);
}

static void off_fill(enum bench_who who, struct bench_set *set, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++)
		set->objs[who][i] = off_alloc(who, set);
}

/* Every @step-th from @first on. */
static void off_empty(enum bench_who who, struct bench_set *set,
		      unsigned int first, unsigned int step)
{
	unsigned int i;

	for (i = first; i < OFF_OBJECTS; i += step) {
		off_free(who, set, set->objs[who][i]);
		set->objs[who][i] = NULL;
	}
}

static void off_pairs(enum bench_who who, struct bench_set *set)
{
	unsigned int i;

	for (i = 0; i < 1000; i++)
		off_free(who, set, off_alloc(who, set));
}

static void off_bursts(enum bench_who who, struct bench_set *set)
{
	unsigned int i;

	for (i = 0; i < 4; i++) {
		off_fill(who, set, 1024);
		off_empty(who, set, 0, 1);
	}
}

/* One after another of different slabs, so that each is for another list. */
static void off_scatter(enum bench_who who, struct bench_set *set)
{
	unsigned int i;

	for (i = 0; i < 251; i++)
		off_empty(who, set, i, 251);
}

static void off_shrink(enum bench_who who, struct bench_set *set)
{
	if (who == BENCH_MPSLAB)
		mpslab_cache_shrink(set->handle[who]);
	else
		kmem_cache_shrink(set->handle[who]);
}

/* Long enough for some rounds of reaping; awake now and then, for its timer. */
static void off_wait(enum bench_who who, struct bench_set *set)
{
	unsigned int i;

	for (i = 0; i < 60; i++)
		msleep(200);
}

static void off_destroy(enum bench_who who, struct bench_set *set)
{
	if (who == BENCH_MPSLAB)
		mpslab_cache_destroy(set->handle[who]);
	else
		kmem_cache_destroy(set->handle[who]);
	set->handle[who] = NULL;
}

static const struct off_case off_cases[] = {
	{ "pair", 1, 1, off_pairs },
	{ "burst", 1024, 1, off_bursts },
	{ "scatter", OFF_OBJECTS / 10, 0, off_scatter },
	{ "scatter", OFF_OBJECTS, 0, off_scatter },
	{ "shrink_partial", OFF_OBJECTS / 10, 2, off_shrink },
	{ "shrink_partial", OFF_OBJECTS, 2, off_shrink },
	{ "shrink_empty", OFF_OBJECTS, 1, off_shrink },
	{ "reap", OFF_OBJECTS, 1, off_wait },
	{ "destroy", OFF_OBJECTS, 1, off_destroy },
};

static int off_case(const struct off_case *c, enum bench_who who)
{
	struct bench_set set;
	char name[32];
	int err;

	err = bench_set_init(&set, OFF_SIZE, OFF_OBJECTS);
	if (err)
		return err;
	off_fill(who, &set, c->objects);
	if (c->free)
		off_empty(who, &set, 0, c->free);

	mark(MARK_START);
	c->run(who, &set);
	mark(MARK_STOP);

	snprintf(name, sizeof(name), "off_%s", c->name);
	count_row(name, OFF_SIZE, c->objects, who, 1);
	off_empty(who, &set, 0, 1);
	bench_set_exit(&set);
	return 0;
}

static int run_irqs_off(void)
{
	unsigned int i;
	int err = arm();

	for (i = 0; i < ARRAY_SIZE(off_cases) && !err; i++) {
		err = off_case(&off_cases[i], BENCH_MPSLAB);
		if (!err)
			err = off_case(&off_cases[i], BENCH_KMEM_CACHE);
	}
	return err;
}

const struct bench_workload bench_scale[] = {
	{ "scale", run_scale },
	{ "scale_check", run_scale_check },
	{ "irqs_off", run_irqs_off },
	{}
};
