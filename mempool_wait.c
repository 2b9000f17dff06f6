// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's waiters: who waits for elements when neither the backend nor the
 * reserve has one, and how he gets them.
 *
 * Waiters are served in the order in which they came, each by hand: the element
 * goes into the waiter's own array and only he is woken.  Nobody takes from the
 * reserve before them.
 *
 * Only the first in the queue takes from frees and from the reserve without
 * having all that it wants.  So two bulk waiters never hold what the other
 * needs; and what was freed for a waiter stays his if min_nr shrinks.
 *
 * While anybody waits, the reserve is empty: the first waiter took what was left
 * when it queued, and every element freed since went to a waiter.  That is why
 * newcomers need not look at the queue.
 *
 * A waiter also asks the backend again from time to time, keeping its place:
 * the backend may have recovered without any element of the pool being freed
 * (then newcomers, who ask it first, may be served sooner).  What it gets there
 * was never the reserve's, so nobody else counts on it.
 *
 * The hand-over is in the manner of the kernel's semaphore.
 */
#include <linux/ktime.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "internal.h"

#define BACKEND_RETRY	(5 * HZ)	/* how often a waiter asks the backend */

/**
 * struct pool_waiter - somebody who waits for elements; lies on his stack
 * @list: place in the queue, under pool->lock
 * @task: who
 * @elems: where the elements go
 * @wanted: how many
 * @got: how many there are; under pool->lock while queued
 * @since: when the wait began
 *
 * @got == @wanted says that the waiter has left the queue.  He looks at it with
 * pool->lock held, so whoever served him, under the same lock, is done with this
 * struct before it goes.
 */
struct pool_waiter {
	struct list_head list;
	struct task_struct *task;
	void **elems;
	unsigned int wanted;
	unsigned int got;
	ktime_t since;
};

/* ----------------------------------------------------------- under pool->lock -- */

static struct pool_waiter *first_waiter(struct mpslab_pool *pool)
{
	lockdep_assert_held(&pool->lock);
	return list_first_entry_or_null(&pool->waiters, struct pool_waiter,
					list);
}

static void dequeue(struct mpslab_pool *pool, struct pool_waiter *w)
{
	u64 waited = ktime_to_ns(ktime_sub(ktime_get(), w->since));

	list_del(&w->list);
	WRITE_ONCE(pool->nr_waiters, pool->nr_waiters - 1);
	pool->longest_wait_ns = max(pool->longest_wait_ns, waited);
}

/**
 * pool_hand_over() - give an element to the first waiter
 * @pool: the pool, its lock held
 * @element: the element
 *
 * He is woken if he now has all that he wants.
 *
 * Return: false if nobody waits.
 */
bool pool_hand_over(struct mpslab_pool *pool, void *element)
{
	struct pool_waiter *w = first_waiter(pool);

	if (!w)
		return false;
	w->elems[w->got++] = element;
	pool->reserve_allocs++;
	if (w->got == w->wanted) {
		dequeue(pool, w);
		wake_up_process(w->task);
	}
	return true;
}

/* -------------------------------------------------------------------- waiting -- */

/* One element for a waiter from the backend; false if it has none. */
static bool ask_backend(struct mpslab_pool *pool, gfp_t gfp,
			struct pool_waiter *w)
{
	unsigned long flags;
	void *element;
	bool wanted;

	element = pool->alloc(gfp, pool->pool_data);
	if (!element)
		return false;
	this_cpu_inc(pool->stat->backend_allocs);
	raw_spin_lock_irqsave(&pool->lock, flags);
	wanted = w->got < w->wanted;
	if (wanted) {
		w->elems[w->got++] = element;
		if (w->got == w->wanted)
			dequeue(pool, w);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	/* A free was quicker; the element may serve the next. */
	if (!wanted)
		mpslab_pool_free(element, pool);
	return true;
}

static void enqueue(struct mpslab_pool *pool, struct pool_waiter *w)
{
	lockdep_assert_held(&pool->lock);
	list_add_tail(&w->list, &pool->waiters);
	WRITE_ONCE(pool->nr_waiters, pool->nr_waiters + 1);
	pool->waits++;
}

/**
 * pool_wait() - wait for elements
 * @pool: the pool
 * @gfp: flags for asking the backend; without reclaim
 * @elems: filled with the elements
 * @count: how many
 *
 * No wake-up is missed: @got is looked at and the task's state set under the
 * lock under which pool_hand_over() counts and wakes.
 *
 * Why without reclaim:  What is handed over to a waiter is of use to nobody
 * until he returns, so he must not meanwhile be in reclaim, which may wait for
 * one who waits behind him.
 *
 * Context: task; sleeps.
 */
void pool_wait(struct mpslab_pool *pool, gfp_t gfp, void **elems,
	       unsigned int count)
{
	struct pool_waiter w = {
		.task = current,
		.elems = elems,
		.wanted = count,
		.since = ktime_get(),
	};
	unsigned long flags;
	bool ask = false;

	raw_spin_lock_irqsave(&pool->lock, flags);
	w.got = pool_take_reserve(pool, elems, count);
	if (w.got < count)
		enqueue(pool, &w);
	while (w.got < count) {
		if (!ask)
			__set_current_state(TASK_UNINTERRUPTIBLE);
		raw_spin_unlock_irqrestore(&pool->lock, flags);
		if (ask) {
			ask = ask_backend(pool, gfp, &w);
		} else {
			io_schedule_timeout(BACKEND_RETRY);
			ask = true;
		}
		raw_spin_lock_irqsave(&pool->lock, flags);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	smp_wmb();	/* pairs with smp_rmb() in return_elements() */
}

/* -------------------------------------------------------------------- looking -- */

/**
 * pool_waiters() - who waits for a pool, in the order in which they are served
 * @pool: the pool
 * @info: filled
 * @max: room in @info
 *
 * Context: any but NMI.
 * Return: how many were filled in.
 */
unsigned int pool_waiters(struct mpslab_pool *pool,
			  struct pool_waiter_info *info, unsigned int max)
{
	ktime_t now = ktime_get();
	struct pool_waiter *w;
	unsigned long flags;
	unsigned int nr = 0;

	raw_spin_lock_irqsave(&pool->lock, flags);
	list_for_each_entry(w, &pool->waiters, list) {
		if (nr == max)
			break;
		strscpy(info[nr].comm, w->task->comm, sizeof(info[nr].comm));
		info[nr].pid = task_pid_nr(w->task);
		info[nr].wanted = w->wanted;
		info[nr].got = w->got;
		info[nr].waited_ns = max_t(s64, 0, ktime_sub(now, w->since));
		nr++;
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(pool_waiters);
