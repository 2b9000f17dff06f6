// SPDX-License-Identifier: GPL-2.0
/*
 * Pools whose backend has nothing: many threads share a few reserved elements.
 *
 * Each thread allocates, touches the element and frees it, and does so again at
 * once.  It never sleeps on purpose, so an element is in use for some tens of
 * nanoseconds unless its holder is preempted; then it is gone for as long as that
 * takes, and when all are, somebody waits.  Were elements held for longer than a
 * context switch takes, as those of real I/O are, both pools would serve as many
 * as the holders give back, and only the waits would differ.
 *
 * The longest wait is the longest time that one allocation took, from call to
 * return, preempted or not: who has to wait does not care why.  There is no row
 * for a loop that allocates nothing: UML preempts only where preemption is switched
 * on again, and in an empty loop that is nowhere.
 */
#include <linux/completion.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/mempool.h>
#include <linux/sched.h>
#include <linux/slab.h>

#include "bench.h"

#define ELEMENT_SIZE	256
#define THREADS_MAX	128
#define RUN_MS		2000

struct wait_run;

/* One of the threads, and what became of it. */
struct wait_thread {
	struct task_struct *task;
	struct wait_run *run;
	u64 served;
	u64 longest;		/* nanoseconds */
} ____cacheline_aligned;

/**
 * struct wait_run - threads on one pool
 * @pool: the pool
 * @loop: what its threads do
 * @go: completed when all threads are there
 * @stop: they should end
 * @running: those that have not
 * @done: completed by the last of them
 * @thread: they
 */
struct wait_run {
	void *pool;
	void (*loop)(struct wait_thread *t);
	struct completion go;
	bool stop;
	atomic_t running;
	struct completion done;
	struct wait_thread thread[THREADS_MAX];
};

/* One run at a time. */
static bool backend_closed;

static void *backend_alloc(gfp_t gfp, void *data)
{
	return READ_ONCE(backend_closed) ? NULL : kmalloc(ELEMENT_SIZE, gfp);
}

static void backend_free(void *element, void *data)
{
	kfree(element);
}

/* ------------------------------------------------------------------ threads -- */

static __always_inline void wait_loop(enum bench_who who, struct wait_thread *t)
{
	struct wait_run *run = t->run;
	u64 start, longest = 0, served = 0;
	void *e;

	do {
		start = ktime_get_ns();
		e = bench_alloc(who, run->pool, GFP_NOIO);
		longest = max(longest, ktime_get_ns() - start);
		WRITE_ONCE(*(u64 *)e, start);
		bench_free(who, run->pool, e);
		served++;
		cond_resched();
	} while (!READ_ONCE(run->stop));
	t->served = served;
	t->longest = longest;
}

static void wait_loop_mpslab_pool(struct wait_thread *t)
{
	wait_loop(BENCH_MPSLAB_POOL, t);
}

static void wait_loop_mempool(struct wait_thread *t)
{
	wait_loop(BENCH_MEMPOOL, t);
}

static int wait_thread_fn(void *data)
{
	struct wait_thread *t = data;
	struct wait_run *run = t->run;

	wait_for_completion(&run->go);
	run->loop(t);
	if (atomic_dec_and_test(&run->running))
		complete(&run->done);
	/* Until the run is taken down, which needs the task. */
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		if (!kthread_should_stop())
			schedule();
		__set_current_state(TASK_RUNNING);
	}
	return 0;
}

static int start_threads(struct wait_run *run, unsigned int nr)
{
	struct task_struct *task;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		run->thread[i].run = run;
		task = kthread_run(wait_thread_fn, &run->thread[i],
				   "bench_wait/%u", i);
		if (IS_ERR(task))
			return PTR_ERR(task);
		run->thread[i].task = task;
		atomic_inc(&run->running);
	}
	return 0;
}

static void stop_threads(struct wait_run *run, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr && run->thread[i].task; i++)
		kthread_stop(run->thread[i].task);
}

/* ------------------------------------------------------------------- a run -- */

static void wait_rows(struct wait_run *run, unsigned int size, unsigned int nr,
		      enum bench_who who, u64 elapsed)
{
	u64 sum = 0, least = U64_MAX, most = 0, longest = 0;
	const char *name = bench_name(who);
	unsigned int i;

	for (i = 0; i < nr; i++) {
		sum += run->thread[i].served;
		least = min(least, run->thread[i].served);
		most = max(most, run->thread[i].served);
		longest = max(longest, run->thread[i].longest);
	}
	bench_row("wait_served", size, nr, name,
		  div64_u64(sum * MSEC_PER_SEC, div_u64(elapsed, NSEC_PER_MSEC)) *
		  1000, "per_s");
	bench_row("wait_longest", size, nr, name, longest, "us");
	bench_row("wait_least_share", size, nr, name,
		  div64_u64(least * nr * 1000000, sum), "permille");
	bench_row("wait_most_share", size, nr, name,
		  div64_u64(most * nr * 1000000, sum), "permille");
}

static int wait_measure(struct wait_run *run, unsigned int size,
			unsigned int nr, enum bench_who who)
{
	u64 start;
	int err;

	memset(run->thread, 0, sizeof(run->thread));
	init_completion(&run->go);
	init_completion(&run->done);
	atomic_set(&run->running, 0);
	run->stop = false;

	err = start_threads(run, nr);
	if (!err) {
		start = ktime_get_ns();
		complete_all(&run->go);
		msleep(RUN_MS);
		WRITE_ONCE(run->stop, true);
		wait_for_completion(&run->done);
		wait_rows(run, size, nr, who, ktime_get_ns() - start);
	} else {
		WRITE_ONCE(run->stop, true);
		complete_all(&run->go);
	}
	stop_threads(run, nr);
	return err;
}

static int wait_on_mpslab_pool(struct wait_run *run, unsigned int size,
			       unsigned int nr)
{
	struct mpslab_pool *pool;
	int err;

	pool = mpslab_pool_create(size, backend_alloc, backend_free, NULL);
	if (!pool)
		return -ENOMEM;
	WRITE_ONCE(backend_closed, true);
	run->pool = pool;
	run->loop = wait_loop_mpslab_pool;
	err = wait_measure(run, size, nr, BENCH_MPSLAB_POOL);
	WRITE_ONCE(backend_closed, false);
	mpslab_pool_destroy(pool);
	return err;
}

static int wait_on_mempool(struct wait_run *run, unsigned int size,
			   unsigned int nr)
{
	mempool_t *pool;
	int err;

	pool = mempool_create(size, backend_alloc, backend_free, NULL);
	if (!pool)
		return -ENOMEM;
	WRITE_ONCE(backend_closed, true);
	run->pool = pool;
	run->loop = wait_loop_mempool;
	err = wait_measure(run, size, nr, BENCH_MEMPOOL);
	WRITE_ONCE(backend_closed, false);
	mempool_destroy(pool);
	return err;
}

static int wait_run(void)
{
	static const unsigned int sizes[] = { 1, 4 }, nrs[] = { 8, 32, 128 };
	struct wait_run *run;
	unsigned int i, j;
	int err = 0;

	run = kvzalloc(sizeof(*run), GFP_KERNEL);
	if (!run)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(nrs) && !err; j++) {
			err = wait_on_mpslab_pool(run, sizes[i], nrs[j]);
			if (!err)
				err = wait_on_mempool(run, sizes[i], nrs[j]);
		}
	}
	kvfree(run);
	return err;
}

const struct bench_workload bench_wait[] = {
	{ "wait", wait_run },
	{}
};
