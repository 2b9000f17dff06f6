// SPDX-License-Identifier: GPL-2.0
/*
 * The soak: everything that mpslab does, all at once, for as long as one likes.
 *
 * Workers (soak_work.c) allocate and free in all ways and contexts, and have
 * errands (soak_errand.c) bring objects back from interrupts and other CPUs.
 * Meanwhile the caches (soak_cache.c) and pools (soak_pool.c) that they work on
 * come and go.  What a user has, and a client has not, is left to a script
 * (../soak.sh): tunables, shrink and reap in debugfs, CPUs that come and go.
 *
 *	an object    is stamped by who has it, and looked at before it is freed;
 *	             it is what it was for who reads it under RCU, and for the
 *	             allocator in use until its grace period is over
 *	a cache      has as many objects in use as are out, whenever all pause
 *	a pool       keeps no caller waiting for seconds
 *	a worker     gets on with its operations
 *
 * The first two are told by debugfs, in comparison with "books" below.  The first
 * thing that is wrong ends the soak and is printed with the seed, which gives each
 * worker the same operations again.
 *
 * Controls are in /sys/kernel/debug/mpslab_soak:
 *
 *	pause   1: have all workers stop between two operations, and all errands
 *	        come back; 2: and all objects be freed; 0: go on
 *	books   what is out: "cache NAME OBJECTS" or "pool NAME ELEMENTS"
 *	stats   what was done
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>
#include <linux/timekeeping.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/random.h>
#include <linux/sched/prio.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "soak.h"

#define FAILURES_SAID	10

static ulong seed;
module_param(seed, ulong, 0444);
MODULE_PARM_DESC(seed, "Of the schedules, to repeat a run; 0: a random one");

static uint threads;
module_param(threads, uint, 0444);
MODULE_PARM_DESC(threads, "Workers; 0: two for each CPU");

static uint seconds;
module_param(seconds, uint, 0444);
MODULE_PARM_DESC(seconds, "To work for; 0: until the module is unloaded");

static uint wait_ms = 4500;
module_param(wait_ms, uint, 0444);
MODULE_PARM_DESC(wait_ms,
		 "Longest wait for an element, below the 5 s after which a waiter looks by itself");

static uint stall_s = 60;
module_param(stall_s, uint, 0444);
MODULE_PARM_DESC(stall_s, "Longest operation, and longest way to a pause");

DEFINE_PER_CPU(struct soak_counts, soak_counts);

static struct worker *workers;
static unsigned int nr_workers;
static struct dentry *dir;

static bool running;
static DEFINE_MUTEX(pause_mutex);
static unsigned int pausing;	/* what was written to "pause" */
static bool settled;		/* all pause; under pause_mutex */

static atomic_t failures;
static atomic_long_t longest_wait;	/* jiffies */
static time64_t started;	/* seconds */
static time64_t said_at;	/* seconds since then */

bool soak_running(void)
{
	return READ_ONCE(running);
}

bool soak_pausing(void)
{
	return READ_ONCE(pausing);
}

bool soak_emptying(void)
{
	return READ_ONCE(pausing) == 2;
}

/* ---------------------------------------------------------- what went wrong -- */

/**
 * soak_fail() - something is wrong
 * @w: the worker whose operation noticed, or NULL
 * @fmt: what, for printf()
 *
 * Ends the soak; what else the workers find on their way out is said as well.
 *
 * Context: any.
 */
void soak_fail(struct worker *w, const char *fmt, ...)
{
	struct va_format vaf = { .fmt = fmt };
	va_list args;

	WRITE_ONCE(running, false);
	if (atomic_inc_return(&failures) > FAILURES_SAID)
		return;
	va_start(args, fmt);
	vaf.va = &args;
	if (w)
		pr_err("FAIL, seed=%lu threads=%u, worker %u, operation %llu (%s): %pV\n",
		       seed, nr_workers, w->index, READ_ONCE(w->op),
		       READ_ONCE(w->doing), &vaf);
	else
		pr_err("FAIL, seed=%lu threads=%u: %pV\n", seed, nr_workers,
		       &vaf);
	va_end(args);
}

/**
 * soak_waited() - an allocation that may sleep came back
 * @w: who asked
 * @p: the pool
 * @since: when he did, in jiffies
 *
 * In jiffies, as the waiter's own timeout is: on a machine whose host has no time
 * for it they are late, too.
 */
void soak_waited(struct worker *w, struct soak_pool *p, unsigned long since)
{
	long took = jiffies - since, longest = atomic_long_read(&longest_wait);

	while (took > longest &&
	       !atomic_long_try_cmpxchg(&longest_wait, &longest, took))
		;
	if (took > (long)msecs_to_jiffies(wait_ms))
		soak_fail(w, "%s: an allocation took %u ms", p->name,
			  jiffies_to_msecs(took));
}

/* ------------------------------------------------------------------ statistics -- */

static const char * const count_names[NR_COUNTS] = {
	[C_ALLOC] = "allocs", [C_ALLOC_LRU] = "allocs_for_lists",
	[C_ALLOC_FAILED] = "allocs_failed",
	[C_FREE] = "frees", [C_FREE_ADDRESS] = "frees_by_address",
	[C_FREE_RCU] = "frees_after_rcu", [C_STAYED] = "resized_in_place",
	[C_MOVED] = "resized_elsewhere", [C_CHECK] = "stamps_checked",
	[C_PEEK] = "peeks", [C_READ] = "reads_under_rcu",
	[C_SHRINK] = "shrinks",
	[C_CACHE_CREATED] = "caches_created",
	[C_CACHE_FAILED] = "caches_not_created",
	[C_CACHE_DESTROYED] = "caches_destroyed",
	[C_POOL_ALLOC] = "pool_allocs", [C_POOL_FAILED] = "pool_allocs_failed",
	[C_POOL_KILLED] = "pool_waits_killed",
	[C_POOL_TIMED_OUT] = "pool_waits_timed_out",
	[C_POOL_FREE] = "pool_frees", [C_POOL_RESIZED] = "pools_resized",
	[C_POOL_NOT_RESIZED] = "pools_not_resized",
	[C_POOL_CREATED] = "pools_created",
	[C_POOL_CREATE_FAILED] = "pools_not_created",
	[C_POOL_DESTROYED] = "pools_destroyed", [C_BURST] = "in_bursts",
	[C_NO_PREEMPT] = "without_preemption", [C_BH] = "without_softirqs",
	[C_IRQS_OFF] = "without_interrupts", [C_NMI] = "as_in_nmi",
	[C_SOFTIRQ] = "in_softirq", [C_HARDIRQ] = "in_hardirq",
	[C_OTHER_TASK] = "in_other_task",
};

static u64 count_of(enum soak_count what)
{
	u64 sum = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		sum += READ_ONCE(per_cpu(soak_counts, cpu).nr[what]);
	return sum;
}

static u64 operations_done(void)
{
	u64 sum = 0;
	unsigned int i;

	for (i = 0; i < nr_workers; i++)
		sum += READ_ONCE(workers[i].op);
	return sum;
}

static unsigned int longest_wait_ms(void)
{
	return jiffies_to_msecs(atomic_long_read(&longest_wait));
}

static time64_t seconds_done(void)
{
	return ktime_get_seconds() - started;
}

static void say_how_far(void)
{
	pr_info("seed=%lu threads=%u, %lld s: %llu operations, %llu allocs, %llu frees, %llu pool allocs, %llu pool frees, %llu caches, %llu pools, longest wait %u ms\n",
		seed, nr_workers, seconds_done(), operations_done(),
		count_of(C_ALLOC), count_of(C_FREE), count_of(C_POOL_ALLOC),
		count_of(C_POOL_FREE), count_of(C_CACHE_CREATED),
		count_of(C_POOL_CREATED), longest_wait_ms());
}

static int stats_show(struct seq_file *m, void *v)
{
	unsigned int i;

	seq_printf(m, "%-20s %u\n", "running", soak_running());
	seq_printf(m, "%-20s %lu\n", "seed", seed);
	seq_printf(m, "%-20s %u\n", "threads", nr_workers);
	seq_printf(m, "%-20s %u\n", "failures", atomic_read(&failures));
	seq_printf(m, "%-20s %u\n", "longest_wait_ms", longest_wait_ms());
	seq_printf(m, "%-20s %llu\n", "operations", operations_done());
	for (i = 0; i < NR_COUNTS; i++)
		seq_printf(m, "%-20s %llu\n", count_names[i], count_of(i));
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* What lies in the reserve is in use for the cache below. */
static void show_books(struct seq_file *m)
{
	struct soak_cache *c;
	struct soak_pool *p;

	lockdep_assert_held(&pause_mutex);
	for (c = soak_caches; c < soak_caches + SOAK_CACHES; c++)
		if (c->cache)
			seq_printf(m, "cache %s %d\n", c->name,
				   atomic_read(&c->place.users));
	for (p = soak_pools; p < soak_pools + SOAK_POOLS; p++) {
		if (!p->pool)
			continue;
		seq_printf(m, "pool %s %d\n", p->name,
			   atomic_read(&p->place.users));
		if (p->cache)
			seq_printf(m, "cache %s %d\n", p->name,
				   atomic_read(&p->place.users) +
				   READ_ONCE(p->pool->curr_nr));
	}
}

/* While somebody works, there is nothing to be said. */
static int books_show(struct seq_file *m, void *v)
{
	int err = -EBUSY;

	mutex_lock(&pause_mutex);
	if (settled) {
		show_books(m);
		err = 0;
	}
	mutex_unlock(&pause_mutex);
	return err;
}
DEFINE_SHOW_ATTRIBUTE(books);

/* --------------------------------------------------------------------- pauses -- */

static bool place_is_settled(struct place *p, bool empty)
{
	return !place_is_closed(p) && !(empty && atomic_read(&p->users));
}

/*
 * Whoever is not there yet, or NULL if there is nobody.  RCU is the last: what waits for
 * it is no worker's any more, and all that there is when nobody works.
 */
static const char *not_settled(bool empty)
{
	unsigned int i, j;

	for (i = 0; i < nr_workers; i++) {
		if (!READ_ONCE(workers[i].parked))
			return READ_ONCE(workers[i].doing);
		for (j = 0; j < ERRANDS; j++)
			if (!errand_is_idle(&workers[i].errands[j]))
				return "an errand";
	}
	for (i = 0; i < SOAK_CACHES; i++)
		if (!place_is_settled(&soak_caches[i].place, empty))
			return soak_caches[i].name;
	for (i = 0; i < SOAK_POOLS; i++)
		if (!place_is_settled(&soak_pools[i].place, true))
			return soak_pools[i].name;
	return caches_wait_for_rcu() ? NULL : "RCU";
}

static int pause_all(unsigned int how)
{
	unsigned long end = jiffies + stall_s * HZ;
	const char *who;

	lockdep_assert_held(&pause_mutex);
	settled = false;
	WRITE_ONCE(pausing, how);
	while (how && (who = not_settled(how == 2))) {
		if (!soak_running())
			return -ESHUTDOWN;
		if (time_after(jiffies, end)) {
			soak_fail(NULL, "no pause within %u s: %s", stall_s, who);
			return -ETIMEDOUT;
		}
		usleep_range(500, 1000);
	}
	settled = how;
	return how && !soak_running() ? -ESHUTDOWN : 0;
}

static int pause_get(void *data, u64 *val)
{
	*val = READ_ONCE(pausing);
	return 0;
}

static int pause_set(void *data, u64 val)
{
	int err;

	if (val > 2)
		return -ERANGE;
	mutex_lock(&pause_mutex);
	err = pause_all(val);
	mutex_unlock(&pause_mutex);
	return err;
}
DEFINE_DEBUGFS_ATTRIBUTE(pause_fops, pause_get, pause_set, "%llu\n");

/* ---------------------------------------------------------------------- watch -- */

/*
 * Somebody who may be waiting is to end that, if it is a wait that can be ended so.  If
 * there is nobody, half of the kills are for the next such wait of some worker.
 */
void worker_kill(u32 which)
{
	unsigned int i, first = below(which, nr_workers);
	struct worker *w;

	for (i = 0; i < nr_workers; i++) {
		w = &workers[(first + i) % nr_workers];
		if (READ_ONCE(w->killable))
			break;
	}
	if (i < nr_workers || which & 1)
		send_sig(SIGKILL, workers[(first + i) % nr_workers].task, 1);
}

static void watch_worker(struct worker *w)
{
	u64 op = READ_ONCE(w->op);

	if (op != w->seen_op || READ_ONCE(w->parked)) {
		w->seen_op = op;
		w->seen_at = jiffies;
	} else if (time_after(jiffies, w->seen_at + stall_s * HZ)) {
		soak_fail(w, "it takes more than %u s", stall_s);
	}
}

/* Not while all pause, as somebody looks at the books then. */
static void end_in_time(void)
{
	if (!seconds || seconds_done() < seconds)
		return;
	if (!mutex_trylock(&pause_mutex))
		return;
	if (!pausing)
		WRITE_ONCE(running, false);
	mutex_unlock(&pause_mutex);
}

static void watch_fn(struct work_struct *work)
{
	unsigned int i;

	for (i = 0; i < nr_workers; i++)
		watch_worker(&workers[i]);
	if (seconds_done() >= said_at + 60) {
		said_at = seconds_done();
		say_how_far();
	}
	end_in_time();
	if (soak_running())
		schedule_delayed_work(to_delayed_work(work), HZ);
}

static DECLARE_DELAYED_WORK(watch, watch_fn);

/* --------------------------------------------------------------- start and stop -- */

static void worker_init(struct worker *w, unsigned int index)
{
	unsigned int i;

	w->index = index;
	w->doing = "starting";
	w->seen_at = jiffies;
	prandom_seed_state(&w->rnd, seed + index * 0x9e3779b97f4a7c15ULL);
	for (i = 0; i < ERRANDS; i++)
		errand_init(&w->errands[i], w);
}

/* Some of all, before the first worker asks. */
static int fill_places(void)
{
	struct worker *w = &workers[0];
	struct rnd_state rnd;
	unsigned int i;

	prandom_seed_state(&rnd, ~(u64)seed);
	for (i = 0; i < SOAK_CACHES; i++)
		cache_recreate(w, &soak_caches[i], prandom_u32_state(&rnd),
			       prandom_u32_state(&rnd));
	for (i = 0; i < SOAK_POOLS; i++)
		pool_recreate(w, &soak_pools[i], prandom_u32_state(&rnd),
			      prandom_u32_state(&rnd));
	for (i = 0; i < nr_workers; i++)
		if (pool_create_lone(&workers[i].lone, i))
			return -ENOMEM;
	return 0;
}

static int workers_start(void)
{
	struct task_struct *task;
	unsigned int i;

	for (i = 0; i < nr_workers; i++) {
		task = kthread_create(worker_thread, &workers[i], "soak/%u", i);
		if (IS_ERR(task))
			return PTR_ERR(task);
		set_user_nice(task, MAX_NICE);
		/* Others may still kill one that has ended. */
		workers[i].task = get_task_struct(task);
	}
	for (i = 0; i < nr_workers; i++)
		wake_up_process(workers[i].task);
	return 0;
}

static void nothing(void *unused)
{
}

static void stop(void)
{
	unsigned int i;

	WRITE_ONCE(running, false);
	cancel_delayed_work_sync(&watch);
	for (i = 0; i < nr_workers && workers[i].task; i++)
		kthread_stop(workers[i].task);
	for (i = 0; i < nr_workers && workers[i].task; i++)
		put_task_struct(workers[i].task);
	say_how_far();
	/* Nobody is in the handler of an IPI that came before this one. */
	on_each_cpu(nothing, NULL, 1);
	if (count_of(C_ALLOC) != count_of(C_FREE) ||
	    count_of(C_POOL_ALLOC) != count_of(C_POOL_FREE))
		soak_fail(NULL, "not all that was allocated was freed");
	for (i = 0; i < nr_workers; i++)
		pool_destroy(&workers[i].lone);
	pools_destroy();
	caches_destroy();
	kvfree(workers);
}

static int __init soak_init(void)
{
	unsigned int i;
	int err;

	if (!seed)
		seed = get_random_u32() | 1;
	nr_workers = clamp(threads ?: 2 * num_online_cpus(), 1U, SOAK_THREADS_MAX);
	workers = kvcalloc(nr_workers, sizeof(*workers), GFP_KERNEL);
	if (!workers)
		return -ENOMEM;
	mailboxes_init();
	for (i = 0; i < nr_workers; i++)
		worker_init(&workers[i], i);
	started = ktime_get_seconds();
	running = true;
	say_how_far();
	err = caches_init();
	if (!err)
		err = fill_places();
	if (!err)
		err = workers_start();
	if (err) {
		stop();
		return err;
	}
	schedule_delayed_work(&watch, HZ);
	dir = debugfs_create_dir("mpslab_soak", NULL);
	debugfs_create_file("pause", 0600, dir, NULL, &pause_fops);
	debugfs_create_file("books", 0400, dir, NULL, &books_fops);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	return 0;
}

static void __exit soak_exit(void)
{
	debugfs_remove(dir);
	stop();
}

module_init(soak_init);
module_exit(soak_exit);

MODULE_DESCRIPTION("mpslab's soak: all operations at once, by a seed");
MODULE_LICENSE("GPL");
