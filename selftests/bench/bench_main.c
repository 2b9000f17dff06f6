// SPDX-License-Identifier: GPL-2.0
/*
 * The benchmark: mpslab and its peers, measured in the same run.
 *
 * Controls are in /sys/kernel/debug/mpslab_bench:
 *
 *	run      write the name of a workload; returns when it is done
 *	results  the rows so far: workload,size,n,allocator,value,unit
 *
 * All take turns, round by round, so that whatever makes the machine slower for
 * a while does so for all of them; the row is the median of the rounds.  Where
 * instructions are counted, rounds are so short that most have no timer tick in
 * them, and the median is of these; and as nothing from outside comes into such
 * a guest, it is the same in every run.
 */
#include <linux/completion.h>
#include <linux/debugfs.h>
#include <linux/fs.h>
#include <linux/interrupt.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/sort.h>
#include <linux/string.h>
#include <linux/timex.h>
#include <linux/uaccess.h>
#include <linux/utsname.h>

#include "compat.h"
#include "bench.h"

#define RESULTS_MAX	SZ_256K

static const struct bench_workload *const workloads[] = {
	bench_slab,
	bench_pool,
	bench_ring,
	bench_memory,
	bench_scale,
	bench_wait,
};

static bool insn;
module_param(insn, bool, 0444);
MODULE_PARM_DESC(insn, "The CPU's cycle counter counts instructions (qemu -icount shift=0)");

/* One workload at a time; guards all below. */
static DEFINE_MUTEX(bench_mutex);
static char *results;
static size_t results_len;
static bool results_lost;

/* ------------------------------------------------------------------ results -- */

static const char *const names[BENCH_NR] = {
	[BENCH_LOOP]		= "loop",
	[BENCH_FLOOR]		= "floor",
	[BENCH_MPSLAB]		= "mpslab",
	[BENCH_KMEM_CACHE]	= "kmem_cache",
	[BENCH_MPSLAB_POOL]	= "mpslab_pool",
	[BENCH_MEMPOOL]		= "mempool",
};

const char *bench_name(enum bench_who who)
{
	return names[who];
}

static __printf(1, 2) void results_add(const char *fmt, ...)
{
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(results + results_len, RESULTS_MAX - results_len, fmt,
			args);
	va_end(args);
	if (len < RESULTS_MAX - results_len)
		results_len += len;
	else
		results_lost = true;
}

void bench_row(const char *workload, unsigned int size, unsigned int n,
	       const char *allocator, u64 milli_value, const char *unit)
{
	u32 fraction;
	u64 whole = div_u64_rem(milli_value, 1000, &fraction);

	results_add("%s,%u,%u,%s,%llu.%03u,%s\n", workload, size, n, allocator,
		    whole, fraction, unit);
}

#define BENCH_DEBUG_OPTION(option) (IS_ENABLED(CONFIG_##option) ? " " #option : "")

/* Options that slow down this allocator, or that, or both, but not alike. */
static void results_begin(void)
{
	char debug[256];

	snprintf(debug, sizeof(debug), "%s%s%s%s%s%s%s%s%s%s%s%s",
		 BENCH_DEBUG_OPTION(KASAN), BENCH_DEBUG_OPTION(KMSAN),
		 BENCH_DEBUG_OPTION(KCSAN), BENCH_DEBUG_OPTION(LOCKDEP),
		 BENCH_DEBUG_OPTION(DEBUG_KMEMLEAK), BENCH_DEBUG_OPTION(DEBUG_VM),
		 BENCH_DEBUG_OPTION(DEBUG_OBJECTS),
		 BENCH_DEBUG_OPTION(DEBUG_PREEMPT),
		 BENCH_DEBUG_OPTION(DEBUG_SPINLOCK),
		 BENCH_DEBUG_OPTION(DEBUG_ATOMIC_SLEEP),
		 BENCH_DEBUG_OPTION(SLUB_DEBUG_ON), BENCH_DEBUG_OPTION(FAILSLAB));
	results_add("# kernel %s, %u CPUs, init_on_alloc=%d\n",
		    init_utsname()->release, num_online_cpus(),
		    want_init_on_alloc(0));
	if (*debug)
		results_add("# debug options in this kernel:%s: the figures mean nothing\n",
			    debug);
}

/* -------------------------------------------------------------- measurement -- */

bool bench_counts_insns(void)
{
	return insn;
}

/*
 * QEMU's -icount shift=0 lets the guest's time go on by a nanosecond with each
 * instruction, and its cycle counter is that time; the kernel's own clock is
 * off by what it made of that when it booted.
 */
u64 bench_clock(void)
{
	return insn ? get_cycles() : ktime_get_ns();
}

/*
 * About a millisecond; and at most a million instructions, which is a quarter of
 * a timer tick, even if objects are zeroed by an instruction for each byte.
 */
unsigned int bench_round(unsigned int size)
{
	if (!insn)
		return 16384;
	return size > 512 ? 2048 * 512 / size : 2048;
}

/**
 * struct bench_call - a loop and how long it took
 * @tasklet: calls it, if it is to be called in softirq
 * @done: it did
 * @loop: the loop
 * @set: its argument
 * @elapsed: by bench_clock()
 */
struct bench_call {
	struct tasklet_struct tasklet;
	struct completion done;
	bench_loop_t loop;
	struct bench_set *set;
	u64 elapsed;
};

static void bench_call(struct bench_call *call)
{
	u64 start = bench_clock();

	call->loop(call->set);
	call->elapsed = bench_clock() - start;
}

static void bench_call_softirq(struct tasklet_struct *tasklet)
{
	struct bench_call *call = container_of(tasklet, struct bench_call,
					       tasklet);

	bench_call(call);
	complete(&call->done);
}

static u64 bench_time(struct bench_set *set, const struct bench_case *c,
		      bench_loop_t loop)
{
	struct bench_call call = { .loop = loop, .set = set };

	if (!c->softirq) {
		bench_call(&call);
		return call.elapsed;
	}
	init_completion(&call.done);
	tasklet_setup(&call.tasklet, bench_call_softirq);
	tasklet_schedule(&call.tasklet);
	wait_for_completion(&call.done);
	tasklet_kill(&call.tasklet);
	return call.elapsed;
}

static int cmp_u64(const void *a, const void *b)
{
	u64 x = *(const u64 *)a, y = *(const u64 *)b;

	return x < y ? -1 : x > y;
}

u64 bench_median(u64 times[BENCH_ROUNDS])
{
	sort(times, BENCH_ROUNDS, sizeof(u64), cmp_u64, NULL);
	return times[BENCH_ROUNDS / 2];
}

/**
 * bench_measure() - a row for each allocator: time per operation
 * @set: argument of the loops; who has no handle in it is left out
 * @c: what to measure
 *
 * Return: 0, or -ENOMEM if allocations failed.
 */
int bench_measure(struct bench_set *set, const struct bench_case *c)
{
	static u64 times[BENCH_NR][BENCH_ROUNDS];
	int round, who;

	/* The first fills arrays and caches and isn't counted. */
	for (round = -1; round < BENCH_ROUNDS; round++) {
		for (who = 0; who < BENCH_NR; who++) {
			if (!c->loops[who] || !set->handle[who])
				continue;
			times[who][max(round, 0)] =
				bench_time(set, c, c->loops[who]);
			cond_resched();
		}
	}
	if (set->failed)
		return -ENOMEM;
	for (who = 0; who < BENCH_NR; who++)
		if (c->loops[who] && set->handle[who])
			bench_row(c->workload, set->size, set->n, names[who],
				  div_u64(bench_median(times[who]) * 1000,
					  c->ops), insn ? "insn" : "ns");
	return 0;
}

/*
 * Keeps the kernel from merging the cache with one of another user, whose objects
 * would then be in it.  Kernels without SLAB_NO_MERGE (before 6.5) don't merge
 * what has SLAB_NOLEAKTRACE either, which does nothing else there without
 * kmemleak; newer ones would give the cache no sheaves for it.  A constructor
 * would switch off init_on_alloc.
 */
#define UNMERGED	(COMPAT_SLAB_NO_MERGE ?: SLAB_NOLEAKTRACE)

static int create_caches(struct bench_set *set, slab_flags_t flags,
			 unsigned int capacity)
{
	struct mpslab_cache_args args = { .sheaf_capacity = capacity };
	char name[32];

	snprintf(name, sizeof(name), "bench_%u", set->size);
	set->handle[BENCH_LOOP] = set;
	set->handle[BENCH_FLOOR] = (void __force *)floor_create();
	set->handle[BENCH_MPSLAB] =
		mpslab_cache_create_args(name, set->size, &args, UNMERGED | flags);
	set->handle[BENCH_KMEM_CACHE] =
		kmem_cache_create(name, set->size, 0, UNMERGED | flags, NULL);
	if (!set->handle[BENCH_FLOOR] || !set->handle[BENCH_MPSLAB] ||
	    !set->handle[BENCH_KMEM_CACHE])
		return -ENOMEM;
	return 0;
}

int bench_set_init_with(struct bench_set *set, unsigned int size,
			unsigned int room, slab_flags_t flags,
			unsigned int capacity)
{
	int who, err;

	*set = (struct bench_set){ .size = size };
	err = create_caches(set, flags, capacity);
	for (who = 0; who < BENCH_NR && room && !err; who++) {
		set->objs[who] = kvcalloc(room, sizeof(void *), GFP_KERNEL);
		if (!set->objs[who])
			err = -ENOMEM;
	}
	if (err)
		bench_set_exit(set);
	return err;
}

int bench_set_init(struct bench_set *set, unsigned int size, unsigned int room)
{
	return bench_set_init_with(set, size, room, 0, 0);
}

void bench_set_exit(struct bench_set *set)
{
	int who;

	for (who = 0; who < BENCH_NR; who++)
		kvfree(set->objs[who]);
	kmem_cache_destroy(set->handle[BENCH_KMEM_CACHE]);
	if (set->handle[BENCH_MPSLAB])
		mpslab_cache_destroy(set->handle[BENCH_MPSLAB]);
	floor_destroy((struct floor __percpu __force *)set->handle[BENCH_FLOOR]);
}

/* ------------------------------------------------------------------ debugfs -- */

/**
 * struct bench_run - a workload that runs in a thread of its own
 * @workload: which
 * @done: completed by bench_thread(), waited for by run_workload()
 * @err: what it returned
 */
struct bench_run {
	const struct bench_workload *workload;
	struct completion done;
	int err;
};

static int bench_thread(void *data)
{
	struct bench_run *run = data;

	run->err = run->workload->run();
	/* Never returning here: who waits may unload the module. */
	kthread_complete_and_exit(&run->done, 0);
}

static int run_workload(const struct bench_workload *workload)
{
	struct bench_run run = { .workload = workload };
	struct task_struct *task;

	init_completion(&run.done);
	task = kthread_create(bench_thread, &run, "mpslab_bench");
	if (IS_ERR(task))
		return PTR_ERR(task);
	kthread_bind(task, cpumask_first(cpu_online_mask));
	wake_up_process(task);
	/* However long it takes, nobody shall find this task hung. */
	while (!wait_for_completion_timeout(&run.done, 10 * HZ))
		;
	return run.err;
}

static const struct bench_workload *find_workload(const char *name)
{
	const struct bench_workload *w;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(workloads); i++)
		for (w = workloads[i]; w->name; w++)
			if (!strcmp(w->name, name))
				return w;
	return NULL;
}

static ssize_t run_write(struct file *file, const char __user *buf,
			 size_t count, loff_t *ppos)
{
	const struct bench_workload *workload;
	char name[32] = "";
	ssize_t len;
	int err;

	len = simple_write_to_buffer(name, sizeof(name) - 1, ppos, buf, count);
	if (len < 0)
		return len;
	workload = find_workload(strim(name));
	if (!workload)
		return -EINVAL;
	err = mutex_lock_interruptible(&bench_mutex);
	if (err)
		return err;
	err = run_workload(workload);
	if (!err && results_lost)
		err = -ENOSPC;
	mutex_unlock(&bench_mutex);
	return err ?: count;
}

static const struct file_operations run_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.write = run_write,
	.llseek = default_llseek,
};

static ssize_t results_read(struct file *file, char __user *buf, size_t count,
			    loff_t *ppos)
{
	ssize_t ret = mutex_lock_interruptible(&bench_mutex);

	if (ret)
		return ret;
	ret = simple_read_from_buffer(buf, count, ppos, results, results_len);
	mutex_unlock(&bench_mutex);
	return ret;
}

static const struct file_operations results_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = results_read,
	.llseek = default_llseek,
};

static struct dentry *bench_dir;

static int __init bench_init(void)
{
	results = kvzalloc(RESULTS_MAX, GFP_KERNEL);
	if (!results)
		return -ENOMEM;
	results_begin();
	bench_dir = debugfs_create_dir("mpslab_bench", NULL);
	debugfs_create_file("run", 0200, bench_dir, NULL, &run_fops);
	debugfs_create_file("results", 0444, bench_dir, NULL, &results_fops);
	return 0;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	debugfs_remove(bench_dir);
	kvfree(results);
}
module_exit(bench_exit);

MODULE_DESCRIPTION("mpslab's benchmark");
MODULE_LICENSE("GPL");
