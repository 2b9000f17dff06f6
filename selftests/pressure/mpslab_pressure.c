// SPDX-License-Identifier: GPL-2.0
/*
 * What a pool promises, when memory is gone: mpslab's and the kernel's beside each
 * other, in the manner of write-back.
 *
 * Two sides of the same shape, which run at the same time and want the same memory:
 * a cache of requests, a pool with a reserve over it, and writers, one thread for
 * each CPU.
 *
 *	thread    while fewer than @depth are in flight: allocate -> stamp -> send
 *	softirq   LATENCY_US later: check the stamps -> free -> when half of them are
 *	          done, wake the thread
 *
 * In /sys/kernel/debug/mpslab_pressure:
 *
 *	run      1: the writers write; 0: they stop
 *	squeeze  milliseconds for which to keep all memory that is free; the requests
 *	         that are done meanwhile are counted by themselves
 *	stats    one column for each side
 */
#include <linux/atomic.h>
#include <linux/cpumask.h>
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/ktime.h>
#include <linux/list.h>
#include <linux/llist.h>
#include <linux/math64.h>
#include <linux/mempool.h>
#include <linux/mm_types.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/notifier.h>
#include <linux/oom.h>
#include <linux/sched.h>
#include <linux/sched/prio.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "compat.h"
#include "mpslab.h"

#define LATENCY_US	200
#define WRITERS_MAX	64U

static unsigned int reserve = 32;
module_param(reserve, uint, 0444);
MODULE_PARM_DESC(reserve, "Requests in the reserve of each side");

static unsigned int depth = 64;
module_param(depth, uint, 0444);
MODULE_PARM_DESC(depth, "Requests that each writer has in flight at most");

static unsigned int payload = 2000;
module_param(payload, uint, 0444);
MODULE_PARM_DESC(payload, "Bytes that each request carries");

/* ------------------------------------------------------------ the structures -- */

enum request_state { REQUEST_IDLE = 0x1d1e, REQUEST_BUSY = 0xb059 };

/**
 * struct request - what is written
 * @sent: link on the writer's list
 * @serial: which of the writer's
 * @state: idle while it is free, which its constructor saw to
 * @payload: all bytes say the serial number while it is busy
 */
struct request {
	struct llist_node sent;
	u64 serial;
	enum request_state state;
	u8 payload[];
};

/* Allocations that took longer than so many microseconds are counted. */
static const unsigned int slow_us[] = { 1000, 10000, 100000 };

/**
 * struct writer - a thread, and the device that it writes to
 * @side: whose
 * @task: the thread
 * @wait: where it waits for requests to be done
 * @in_flight: requests sent and not yet done
 * @sent: they
 * @timer: when they are done
 * @serial: of the latest; this and what follows is the thread's own, others read
 * @failed: allocations that failed
 * @unready: requests that somebody else has, or had without their constructor
 * @slow: as @slow_us
 * @longest_ns: the longest allocation
 * @done: requests that are done; this and what follows is the timer's own
 * @wrong: those of them that were not as they had been sent
 */
struct writer {
	struct side *side;
	struct task_struct *task;
	wait_queue_head_t wait;
	atomic_t in_flight;
	struct llist_head sent;
	struct hrtimer timer;

	u64 serial;
	u64 failed;
	u64 unready;
	u64 slow[ARRAY_SIZE(slow_us)];
	u64 longest_ns;

	u64 done;
	u64 wrong;
};

/**
 * struct side - one of the two
 * @name: heads its column
 * @create: makes @cache and @pool, the pool over backend_alloc() and _free() below
 * @destroy: the reverse, also if there is none
 * @alloc: from the pool
 * @free: to it
 * @backend_alloc: from the cache
 * @backend_free: to it
 * @shrink: has the cache give up what it holds
 * @cache: the cache
 * @pool: the pool
 * @backend_failed: how often @backend_alloc had nothing
 * @squeeze_done: requests done during squeezes
 * @writer: its writers
 */
struct side {
	const char *name;
	int (*create)(struct side *side);
	void (*destroy)(struct side *side);
	void *(*alloc)(struct side *side, gfp_t gfp);
	void (*free)(struct side *side, void *rq);
	void *(*backend_alloc)(struct side *side, gfp_t gfp);
	void (*backend_free)(struct side *side, void *rq);
	void (*shrink)(struct side *side);

	void *cache;
	void *pool;
	atomic64_t backend_failed;
	u64 squeeze_done;
	struct writer writer[WRITERS_MAX];
};

static unsigned int nr_writers;
static bool running;
static DEFINE_SPINLOCK(eaten_lock);
static LIST_HEAD(eaten);		/* pages, by the squeeze that goes on */
static unsigned long nr_eaten;
static unsigned long squeeze_pages;	/* the most that were eaten at a time */
static DEFINE_MUTEX(release_mutex);	/* until they are free */
static unsigned long nr_released;	/* since somebody last ran out of memory */
static unsigned long given_back;	/* before its time, to those who did */
static struct dentry *dir;
static DEFINE_MUTEX(control_mutex);

/* ------------------------------------------------------- what both have alike -- */

static void *counted_alloc(gfp_t gfp, void *data)
{
	struct side *side = data;
	void *rq = side->backend_alloc(side, gfp);

	if (!rq)
		atomic64_inc(&side->backend_failed);
	return rq;
}

static void counted_free(void *rq, void *data)
{
	struct side *side = data;

	side->backend_free(side, rq);
}

static void request_construct(void *obj)
{
	struct request *rq = obj;

	rq->state = REQUEST_IDLE;
}

static unsigned int request_size(void)
{
	return sizeof(struct request) + payload;
}

/* ---------------------------------------------------------------- the kernel's -- */

static void kernel_destroy(struct side *side)
{
	mempool_destroy(side->pool);
	kmem_cache_destroy(side->cache);
}

static int kernel_create(struct side *side)
{
	side->cache = kmem_cache_create("pressure_kernel", request_size(), 0,
					SLAB_HWCACHE_ALIGN, request_construct);
	if (side->cache)
		side->pool = mempool_create(reserve, counted_alloc, counted_free,
					    side);
	return side->pool ? 0 : -ENOMEM;
}

static void *kernel_alloc(struct side *side, gfp_t gfp)
{
	return mempool_alloc(side->pool, gfp);
}

static void kernel_free(struct side *side, void *rq)
{
	mempool_free(rq, side->pool);
}

static void *kernel_backend_alloc(struct side *side, gfp_t gfp)
{
	return kmem_cache_alloc(side->cache, gfp);
}

static void kernel_backend_free(struct side *side, void *rq)
{
	kmem_cache_free(side->cache, rq);
}

static void kernel_shrink(struct side *side)
{
	kmem_cache_shrink(side->cache);
}

/* -------------------------------------------------------------------- mpslab's -- */

static void mpslab_destroy(struct side *side)
{
	mpslab_pool_destroy(side->pool);
	mpslab_cache_destroy(side->cache);
}

static int mpslab_create(struct side *side)
{
	side->cache = mpslab_cache_create("pressure", request_size(), 0,
					  SLAB_HWCACHE_ALIGN, request_construct);
	if (!side->cache)
		return -ENOMEM;
	side->pool = mpslab_pool_create(reserve, counted_alloc, counted_free,
					side);
	if (!side->pool)
		return -ENOMEM;
	mpslab_pool_set_name(side->pool, "pressure");
	return 0;
}

static void *mpslab_alloc(struct side *side, gfp_t gfp)
{
	return mpslab_pool_alloc(side->pool, gfp);
}

static void mpslab_free(struct side *side, void *rq)
{
	mpslab_pool_free(rq, side->pool);
}

static void *mpslab_backend_alloc(struct side *side, gfp_t gfp)
{
	return mpslab_cache_alloc(side->cache, gfp);
}

static void mpslab_backend_free(struct side *side, void *rq)
{
	mpslab_cache_free(side->cache, rq);
}

static void mpslab_shrink(struct side *side)
{
	mpslab_cache_shrink(side->cache);
}

#define SIDE(__name)							\
{									\
	.name		= #__name,					\
	.create		= __name ## _create,				\
	.destroy	= __name ## _destroy,				\
	.alloc		= __name ## _alloc,				\
	.free		= __name ## _free,				\
	.backend_alloc	= __name ## _backend_alloc,			\
	.backend_free	= __name ## _backend_free,			\
	.shrink		= __name ## _shrink,				\
}

static struct side sides[] = { SIDE(kernel), SIDE(mpslab) };

/* --------------------------------------------------------------------- writing -- */

static void request_done(struct writer *w, struct request *rq)
{
	if (rq->state != REQUEST_BUSY ||
	    memchr_inv(rq->payload, (u8)rq->serial, payload))
		WRITE_ONCE(w->wrong, w->wrong + 1);
	rq->state = REQUEST_IDLE;
	w->side->free(w->side, rq);
	WRITE_ONCE(w->done, w->done + 1);
	if (atomic_dec_return(&w->in_flight) == depth / 2)
		wake_up(&w->wait);
}

/* In softirq; whatever was sent by now is done. */
static enum hrtimer_restart device_done(struct hrtimer *timer)
{
	struct writer *w = container_of(timer, struct writer, timer);
	struct request *rq, *next;

	llist_for_each_entry_safe(rq, next, llist_del_all(&w->sent), sent)
		request_done(w, rq);
	return HRTIMER_NORESTART;
}

/* Whoever finds nothing on the list starts the timer. */
static void send(struct writer *w, struct request *rq)
{
	if (rq->state != REQUEST_IDLE)
		WRITE_ONCE(w->unready, w->unready + 1);
	rq->state = REQUEST_BUSY;
	rq->serial = w->serial + 1;
	WRITE_ONCE(w->serial, rq->serial);
	memset(rq->payload, (u8)rq->serial, payload);
	if (llist_add(&rq->sent, &w->sent))
		hrtimer_start(&w->timer, ns_to_ktime(LATENCY_US * NSEC_PER_USEC),
			      HRTIMER_MODE_REL_SOFT);
}

static void count_time(struct writer *w, u64 took)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(slow_us); i++)
		if (took > slow_us[i] * (u64)NSEC_PER_USEC)
			WRITE_ONCE(w->slow[i], w->slow[i] + 1);
	if (took > w->longest_ns)
		WRITE_ONCE(w->longest_ns, took);
}

/* GFP_NOIO, because we are the I/O; as it may sleep, this must not fail. */
static void write_one(struct writer *w)
{
	u64 start = ktime_get_ns();
	struct request *rq;

	atomic_inc(&w->in_flight);
	rq = w->side->alloc(w->side, GFP_NOIO);
	count_time(w, ktime_get_ns() - start);
	if (rq) {
		send(w, rq);
		return;
	}
	WRITE_ONCE(w->failed, w->failed + 1);
	atomic_dec(&w->in_flight);
}

static bool may_write(struct writer *w)
{
	return READ_ONCE(running) && atomic_read(&w->in_flight) <= depth / 2;
}

/* Nice, so that whoever watches gets to do so. */
static int writer_run(void *data)
{
	struct writer *w = data;

	set_user_nice(current, MAX_NICE);
	while (!kthread_should_stop()) {
		wait_event_idle(w->wait, kthread_should_stop() || may_write(w));
		while (READ_ONCE(running) &&
		       atomic_read(&w->in_flight) < depth) {
			write_one(w);
			cond_resched();
		}
	}
	return 0;
}

static void set_running(bool on)
{
	unsigned int i, n;

	WRITE_ONCE(running, on);
	for (i = 0; i < ARRAY_SIZE(sides); i++)
		for (n = 0; n < nr_writers; n++)
			if (sides[i].writer[n].task)
				wake_up(&sides[i].writer[n].wait);
}

static u64 total_done(const struct side *side)
{
	u64 sum = 0;
	unsigned int n;

	for (n = 0; n < nr_writers; n++)
		sum += READ_ONCE(side->writer[n].done);
	return sum;
}

/* --------------------------------------------------------------------- squeeze -- */

/* All pages that are free; the kernel's last reserve stays with the kernel. */
static void eat_pages(void)
{
	struct page *page;

	while ((page = alloc_page(GFP_NOWAIT | __GFP_NOWARN))) {
		spin_lock(&eaten_lock);
		list_add(&page->lru, &eaten);
		nr_eaten++;
		squeeze_pages = max(squeeze_pages, nr_eaten);
		spin_unlock(&eaten_lock);
		cond_resched();
	}
}

static unsigned long release_eaten(void)
{
	struct page *page, *next;
	unsigned long nr;
	LIST_HEAD(pages);

	mutex_lock(&release_mutex);
	spin_lock(&eaten_lock);
	list_splice_init(&eaten, &pages);
	nr = nr_eaten;
	nr_eaten = 0;
	spin_unlock(&eaten_lock);
	list_for_each_entry_safe(page, next, &pages, lru) {
		__free_page(page);
		cond_resched();
	}
	nr_released += nr;
	mutex_unlock(&release_mutex);
	return nr;
}

/*
 * Whoever runs out of memory would have a process killed, and there is none but the
 * test: what was eaten is given back instead, and eaten again.  A squeeze that has just
 * ended has given back as well.
 */
static int out_of_memory_notify(struct notifier_block *nb, unsigned long unused,
				void *freed)
{
	unsigned long nr = release_eaten();

	mutex_lock(&release_mutex);
	*(unsigned long *)freed += nr_released;
	nr_released = 0;
	WRITE_ONCE(given_back, given_back + nr);
	mutex_unlock(&release_mutex);
	return NOTIFY_OK;
}

static struct notifier_block out_of_memory_nb = {
	.notifier_call = out_of_memory_notify,
};

/*
 * In the kernel and in one call, because a process that did this would have no
 * memory to say so.  Again and again, as requests that are done give pages back.
 */
static void squeeze(u64 ms)
{
	u64 end = ktime_get_ns() + ms * NSEC_PER_MSEC;
	u64 before[ARRAY_SIZE(sides)];
	unsigned int i;

	lockdep_assert_held(&control_mutex);
	eat_pages();
	for (i = 0; i < ARRAY_SIZE(sides); i++)
		before[i] = total_done(&sides[i]);
	while (ktime_get_ns() < end) {
		for (i = 0; i < ARRAY_SIZE(sides); i++)
			sides[i].shrink(&sides[i]);
		eat_pages();
		usleep_range(1000, 2000);
	}
	for (i = 0; i < ARRAY_SIZE(sides); i++)
		sides[i].squeeze_done += total_done(&sides[i]) - before[i];
	release_eaten();
}

/* -------------------------------------------------------------------- controls -- */

static int run_get(void *data, u64 *val)
{
	*val = READ_ONCE(running);
	return 0;
}

static int run_set(void *data, u64 val)
{
	if (val > 1)
		return -ERANGE;
	mutex_lock(&control_mutex);
	set_running(val);
	mutex_unlock(&control_mutex);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(run_fops, run_get, run_set, "%llu\n");

static int squeeze_set(void *data, u64 val)
{
	if (val > 60 * MSEC_PER_SEC)
		return -ERANGE;
	mutex_lock(&control_mutex);
	squeeze(val);
	mutex_unlock(&control_mutex);
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(squeeze_fops, NULL, squeeze_set, "%llu\n");

enum row {
	ROW_SENT,
	ROW_DONE,
	ROW_DONE_IN_SQUEEZE,
	ROW_BACKEND_FAILED,
	ROW_ALLOC_FAILED,
	ROW_WRONG,
	ROW_OVER_1MS,	/* these are of slow_us */
	ROW_OVER_10MS,
	ROW_OVER_100MS,
	ROW_LONGEST_US,
	NR_ROWS
};

static const char * const row_names[NR_ROWS] = {
	[ROW_SENT]		= "sent",
	[ROW_DONE]		= "done",
	[ROW_DONE_IN_SQUEEZE]	= "done_in_squeeze",
	[ROW_BACKEND_FAILED]	= "backend_failed",
	[ROW_ALLOC_FAILED]	= "alloc_failed",
	[ROW_WRONG]		= "wrong",
	[ROW_OVER_1MS]		= "over_1ms",
	[ROW_OVER_10MS]		= "over_10ms",
	[ROW_OVER_100MS]	= "over_100ms",
	[ROW_LONGEST_US]	= "longest_us",
};

static void fill_column(struct side *side, u64 col[NR_ROWS])
{
	unsigned int n, i;
	struct writer *w;
	u64 longest = 0;

	for (n = 0; n < nr_writers; n++) {
		w = &side->writer[n];
		col[ROW_SENT] += READ_ONCE(w->serial);
		col[ROW_DONE] += READ_ONCE(w->done);
		col[ROW_ALLOC_FAILED] += READ_ONCE(w->failed);
		col[ROW_WRONG] += READ_ONCE(w->wrong) + READ_ONCE(w->unready);
		for (i = 0; i < ARRAY_SIZE(slow_us); i++)
			col[ROW_OVER_1MS + i] += READ_ONCE(w->slow[i]);
		longest = max(longest, READ_ONCE(w->longest_ns));
	}
	col[ROW_DONE_IN_SQUEEZE] = side->squeeze_done;
	col[ROW_BACKEND_FAILED] = atomic64_read(&side->backend_failed);
	col[ROW_LONGEST_US] = div_u64(longest, NSEC_PER_USEC);
}

static int stats_show(struct seq_file *m, void *v)
{
	u64 col[ARRAY_SIZE(sides)][NR_ROWS] = {};
	unsigned int i, row;

	mutex_lock(&control_mutex);
	seq_printf(m, "%-16s", "");
	for (i = 0; i < ARRAY_SIZE(sides); i++) {
		seq_printf(m, " %12s", sides[i].name);
		fill_column(&sides[i], col[i]);
	}
	for (row = 0; row < NR_ROWS; row++) {
		seq_printf(m, "\n%-16s", row_names[row]);
		for (i = 0; i < ARRAY_SIZE(sides); i++)
			seq_printf(m, " %12llu", col[i][row]);
	}
	seq_printf(m, "\n%-16s %12lu\n", "squeeze_pages", squeeze_pages);
	seq_printf(m, "%-16s %12lu\n", "given_back", READ_ONCE(given_back));
	mutex_unlock(&control_mutex);
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(stats);

/* ---------------------------------------------------------------------- module -- */

static void side_stop(struct side *side)
{
	struct writer *w;
	unsigned int n;

	for (n = 0; n < nr_writers; n++) {
		w = &side->writer[n];
		if (!w->task)
			continue;
		kthread_stop(w->task);
		while (atomic_read(&w->in_flight))
			msleep(20);
		hrtimer_cancel(&w->timer);	/* the last one may still run */
	}
	side->destroy(side);
}

static int side_start(struct side *side)
{
	struct task_struct *task;
	struct writer *w;
	unsigned int n;
	int err;

	err = side->create(side);
	for (n = 0; n < nr_writers && !err; n++) {
		w = &side->writer[n];
		w->side = side;
		init_waitqueue_head(&w->wait);
		init_llist_head(&w->sent);
		compat_hrtimer_setup(&w->timer, device_done, CLOCK_MONOTONIC,
				     HRTIMER_MODE_REL_SOFT);
		task = kthread_run(writer_run, w, "%s_w/%u", side->name, n);
		if (IS_ERR(task))
			err = PTR_ERR(task);
		else
			w->task = task;
	}
	return err;
}

static void stop_all(void)
{
	unsigned int i;

	set_running(false);
	for (i = 0; i < ARRAY_SIZE(sides); i++)
		side_stop(&sides[i]);
}

static int __init pressure_init(void)
{
	unsigned int i;
	int err = 0;

	if (!reserve || reserve > 1024 || !depth || depth > 4096 ||
	    payload > 65536)
		return -EINVAL;
	nr_writers = min(num_online_cpus(), WRITERS_MAX);
	for (i = 0; i < ARRAY_SIZE(sides) && !err; i++)
		err = side_start(&sides[i]);
	if (!err)
		err = register_oom_notifier(&out_of_memory_nb);
	if (err) {
		stop_all();
		return err;
	}
	dir = debugfs_create_dir("mpslab_pressure", NULL);
	debugfs_create_file("run", 0600, dir, NULL, &run_fops);
	debugfs_create_file("squeeze", 0200, dir, NULL, &squeeze_fops);
	debugfs_create_file("stats", 0400, dir, NULL, &stats_fops);
	return 0;
}

static void __exit pressure_exit(void)
{
	debugfs_remove(dir);
	unregister_oom_notifier(&out_of_memory_nb);
	stop_all();
}

module_init(pressure_init);
module_exit(pressure_exit);

MODULE_DESCRIPTION("mpslab's pool and the kernel's without memory, beside each other");
MODULE_LICENSE("GPL");
