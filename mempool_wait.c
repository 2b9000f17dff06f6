// SPDX-License-Identifier: GPL-2.0
/*
 * The pool's waiters: who waits for elements when neither the backend nor the
 * reserve has one, and how he gets them.
 *
 * Order.  Waiters are served in the order in which they came: only the first in
 * the queue takes from the reserve or is given what is freed.  So two bulk waiters
 * never hold what the other needs.  Newcomers, who do not wait, may overtake the
 * first waiter, and with him the queue, until he has waited for pool->bypass_ns.
 * Each hand-over to a sleeper costs a context switch; a newcomer is awake.
 *
 *   - While newcomers may overtake, a free puts the element into the reserve and
 *     wakes the first waiter, once (@woken), to come and take it.  If others were
 *     quicker he sleeps again.
 *   - Once the first is overdue, a free gives the element to him by hand and only
 *     then wakes him; newcomers leave the reserve to the queue.
 *   - A bulk waiter is never overtaken: while one is queued, wherever, frees serve
 *     the queue by hand.
 *
 * What holds whenever nobody has the lock and somebody waits:
 *
 *   (1) If a bulk waiter is queued, curr_nr is 0.
 *   (2) If curr_nr is not 0, the first waiter is @woken: awake, or about to be, and
 *       yet to look at the reserve under the lock; look() warns if it was not so.
 *
 * (1): join_as_bulk() first closes the reserve to newcomers, then empties it, and
 * queues in the hold of the lock in which it is empty.  From then on an element
 * can enter the reserve only by keep_element(), which pool_hand_over() keeps from
 * doing so, as may_be_overtaken() is false.
 * (2): curr_nr goes up in keep_element() alone, which ends with pool_wake_first();
 * the first waiter changes in dequeue(), which does so too, and in enqueue(), when
 * the queue was empty: by who found too little in the same hold of the lock and,
 * if he wants many, took that.  (Who wants one, and may not have it because of a
 * batch that is not yet served, does not become the first.)  @woken is cleared in
 * look() alone, by the first himself, who in the same hold takes what there is:
 * then either he leaves, or curr_nr is 0.
 *
 * Nobody is stranded.  Suppose that somebody waits first for ever, though all
 * elements that come from the pool are freed.  By (2) the reserve is empty for
 * ever from some time on, or he would look and take; let it be after he became
 * overdue, so that each free that takes the lock gives him its element.  So none
 * does: all of them find the reserve full without the lock.  But whoever took its
 * last element, and all who hold elements that were taken from the reserve since
 * it was last full, see that it is not when they free them, by the barriers of
 * reserve_is_full(): these are as many as make the reserve full, at least one.  For a bulk
 * waiter the same holds from when he queued, by (1), and they number at least
 * what min_nr was when he came: what is freed for those before him and for him
 * never passes through the reserve, so shrinking it takes nothing of that away.
 * Shrinking leaves at least one element, so it strands no other waiter either.
 *
 * Time.  A first waiter who is overdue is served by the next free, whether or not
 * he comes to run.  If he does not run, neither do those behind him need to wait
 * for it: whoever looks at the reserve in vain, newcomer or waiter, first brings
 * what is in it to those who are overdue (serve_overdue()).
 *
 * A waiter also asks the backend again from time to time, keeping its place:
 * the backend may have recovered without any element of the pool being freed
 * (then newcomers, who ask it first, may be served sooner).  What it gets there
 * was never the reserve's, so nobody else counts on it.
 *
 * Giving up.  A waiter whose time is over, or who is killed, leaves the queue in
 * the hold of the lock in which he finds that he lacks something.  Whoever gives
 * to him does so under the same lock, and only while he is queued.  So either the
 * giver comes first, and then the waiter finds that he has all and stays to take
 * it, or he is gone from the queue before the giver looks there: no element is
 * given to somebody who does not look any more.  What a bulk waiter has got by
 * then he frees like anybody else, after he has left.  That he leaves also makes
 * another the first, who is told of the reserve (2).
 *
 * The hand-over is in the manner of the kernel's semaphore, its bound in that of
 * the rwsem, whose first waiter is handed the lock after 4 ms.
 */
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/percpu.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/timekeeping.h>

#include "mempool_internal.h"

#define BACKEND_RETRY	(5 * HZ)	/* how often a waiter asks the backend */
#define NOTE_STACK	HZ		/* who waits so long is looked for */
#define REPORT_EVERY	(5 * HZ)	/* of each pool, no more often than that */
#define SERVE_BATCH	16U		/* waiters served under one hold of the lock */
#define PASSES		16U		/* newcomers for one reading of the clock */

static unsigned int wait_warn_ms = 10000;
module_param(wait_warn_ms, uint, 0644);
MODULE_PARM_DESC(wait_warn_ms, "report who waits for a pool so long, in ms; 0: nobody");

/* What a waiter wakes up for by himself. */
enum wait_alarm { ASK_BACKEND, SAVE_STACK, REPORT, GIVE_UP, NR_ALARMS };

/**
 * struct wait_clock - when he does
 * @when: in jiffies
 * @set: a bit for each that is set
 * @over: his time is, and he asks the backend for the last time, or has
 */
struct wait_clock {
	unsigned long when[NR_ALARMS];
	unsigned int set;
	bool over;
};

/* ----------------------------------------------------------- under pool->lock -- */

static struct pool_waiter *first_waiter(struct mpslab_pool *pool)
{
	lockdep_assert_held(&pool->lock);
	return list_first_entry_or_null(&pool->waiters, struct pool_waiter,
					list);
}

/*
 * The clock is the same on all CPUs; local_clock() is not, and where the CPU has
 * no clock of its own it goes by ticks.  This form of it can be read under any
 * lock and while the system is being suspended.
 */
static u64 now_ns(void)
{
	return ktime_get_mono_fast_ns();
}

static bool overdue(struct mpslab_pool *pool, struct pool_waiter *w, u64 now)
{
	/* Signed, as @now may be from before he came. */
	return (s64)(now - w->since) >= pool->bypass_ns;
}

/*
 * Reading the clock would be a fifth of all that newcomers do.  So what it said
 * holds for PASSES of them, until the next timer tick, and until a bulk waiter comes
 * or the bound is changed.  Not until the first waiter leaves, as the next one came
 * after him.
 */
static bool has_pass(struct mpslab_pool *pool)
{
	return pool->passes && pool->passes_jiffies == (u32)jiffies;
}

static bool use_pass(struct mpslab_pool *pool)
{
	if (!has_pass(pool))
		return false;
	pool->passes--;
	pool->overtakes++;
	return true;
}

static void renew_passes(struct mpslab_pool *pool, struct pool_waiter *w)
{
	bool may = pool->bypass_ns && !pool->bulk_waiters &&
		   !overdue(pool, w, now_ns());

	pool->passes = may ? PASSES : 0;
	pool->passes_jiffies = jiffies;
}

/* May newcomers still take from the reserve before @w, who is the first? */
static bool may_be_overtaken(struct mpslab_pool *pool, struct pool_waiter *w)
{
	if (!has_pass(pool))
		renew_passes(pool, w);
	return pool->passes;
}

/**
 * pool_wake_first() - tell the first waiter that the reserve has something
 * @pool: the pool, its lock held
 *
 * Once, until he has looked.
 */
void pool_wake_first(struct mpslab_pool *pool)
{
	struct pool_waiter *w = first_waiter(pool);

	if (!w || w->woken || !pool->curr_nr)
		return;
	WRITE_ONCE(w->woken, true);
	wake_up_process(w->task);
}

static void enqueue(struct mpslab_pool *pool, struct pool_waiter *w)
{
	lockdep_assert_held(&pool->lock);
	w->since = now_ns();	/* here, so that nobody behind him came earlier */
	list_add_tail(&w->list, &pool->waiters);
	WRITE_ONCE(pool->nr_waiters, pool->nr_waiters + 1);
	w->overtakes = pool->overtakes;
	pool->waits++;
}

/* Whoever leaves makes another the first, who may not know of the reserve. */
static void dequeue(struct mpslab_pool *pool, struct pool_waiter *w)
{
	s64 waited = now_ns() - w->since;

	list_del(&w->list);
	WRITE_ONCE(pool->nr_waiters, pool->nr_waiters - 1);
	if (is_bulk(w))
		pool->bulk_waiters--;
	if (waited > (s64)pool->longest_wait_ns)
		pool->longest_wait_ns = waited;
	pool_wake_first(pool);
}

/* The first waiter gets what the reserve has; true if that is all he wants. */
static bool serve_from_reserve(struct mpslab_pool *pool, struct pool_waiter *w)
{
	w->got += pool_take_reserve(pool, w->elems + w->got,
				    w->wanted - w->got);
	if (w->got < w->wanted)
		return false;
	dequeue(pool, w);
	return true;
}

/*
 * Bring the reserve to waiters who may not be overtaken, be they awake or not;
 * false if there was more to do than one hold of the lock should.
 */
static bool serve_overdue(struct mpslab_pool *pool)
{
	unsigned int batch = SERVE_BATCH;
	struct pool_waiter *w;

	while (pool->curr_nr) {
		w = first_waiter(pool);
		if (!w || may_be_overtaken(pool, w))
			break;
		if (!batch--)
			return false;
		if (serve_from_reserve(pool, w))
			wake_up_process(w->task);
	}
	return true;
}

/**
 * pool_admit() - may somebody take from the reserve who does not wait?
 * @pool: the pool, its lock held
 * @count: how many elements he would take, at least one
 *
 * Return: true if there are that many, and nobody who must not be overtaken.
 */
bool pool_admit(struct mpslab_pool *pool, unsigned int count)
{
	if (likely(pool->curr_nr >= count && use_pass(pool)))
		return true;
	if (!serve_overdue(pool) || pool->curr_nr < count)
		return false;
	/* If somebody still waits, there are fresh passes. */
	if (first_waiter(pool)) {
		pool->passes--;
		pool->overtakes++;
	}
	return true;
}

/**
 * pool_hand_over() - give a freed element to the first waiter
 * @pool: the pool, its lock held
 * @element: the element
 * @room: the reserve could take it, too
 *
 * He is woken if he now has all that he wants.
 *
 * Return: false if nobody waits, or if he may be overtaken and there is @room.
 */
bool pool_hand_over(struct mpslab_pool *pool, void *element, bool room)
{
	struct pool_waiter *w;

	if (likely(room && has_pass(pool)))
		return false;
	w = first_waiter(pool);
	if (!w || (room && may_be_overtaken(pool, w)))
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

	if (fault(pool->faults, FAULT_BACKEND, GFP_KERNEL))
		return false;
	element = pool->alloc(gfp, pool->pool_data);
	if (!element)
		return false;
	this_cpu_inc(pool->stat->backend_allocs);
	raw_spin_lock_irqsave(&pool->lock, flags);
	wanted = w->got < w->wanted;
	if (wanted) {
		w->elems[w->got++] = w->elems[w->own];
		w->elems[w->own++] = element;
		if (w->got == w->wanted)
			dequeue(pool, w);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	/* A free was quicker; the element may serve the next. */
	if (!wanted)
		mpslab_pool_free(element, pool);
	return true;
}

/*
 * Close the reserve to newcomers, and empty it: first to those who wait, then to
 * @w.  The lock is let go between batches; meanwhile frees bring nothing to the
 * reserve while anybody waits, and whoever queues comes before @w.
 */
static void join_as_bulk(struct mpslab_pool *pool, struct pool_waiter *w,
			 unsigned long *flags)
{
	pool->bulk_waiters++;
	pool->passes = 0;
	while (!serve_overdue(pool)) {
		raw_spin_unlock_irqrestore(&pool->lock, *flags);
		raw_spin_lock_irqsave(&pool->lock, *flags);
	}
	w->got += pool_take_reserve(pool, w->elems + w->got,
				    w->wanted - w->got);
	if (w->got < w->wanted)
		enqueue(pool, w);
	else
		pool->bulk_waiters--;
}

/* Queue, unless what @w wants has come by now. */
static void join(struct mpslab_pool *pool, struct pool_waiter *w,
		 unsigned long *flags)
{
	if (is_bulk(w))
		join_as_bulk(pool, w, flags);
	else if (pool_admit(pool, 1))
		w->got = pool_take_reserve(pool, w->elems, 1);
	else
		enqueue(pool, w);
}

/* A waiter is awake and looks whether there is something for him. */
static void look(struct mpslab_pool *pool, struct pool_waiter *w)
{
	bool woken = w->woken;

	WRITE_ONCE(w->woken, false);
	if (w->got == w->wanted)
		return;
	if (first_waiter(pool) == w) {
		/* (2); else a missed wake-up would be no more than a long wait. */
		WARN_ON_ONCE(pool->curr_nr && !woken);
		serve_from_reserve(pool, w);
	} else {
		serve_overdue(pool);
	}
}

static void set_alarm(struct wait_clock *clock, enum wait_alarm which,
		      unsigned long in)
{
	clock->when[which] = jiffies + in;
	clock->set |= BIT(which);
}

static bool rings(const struct wait_clock *clock, enum wait_alarm which)
{
	return clock->set & BIT(which) &&
	       time_after_eq(jiffies, clock->when[which]);
}

/* The same, and then it is silent. */
static bool rings_once(struct wait_clock *clock, enum wait_alarm which)
{
	if (!rings(clock, which))
		return false;
	clock->set &= ~BIT(which);
	return true;
}

static void wind_up(struct wait_clock *clock, const struct pool_bound *bound)
{
	unsigned int warn_ms = READ_ONCE(wait_warn_ms);

	clock->set = 0;
	clock->over = false;
	set_alarm(clock, ASK_BACKEND, BACKEND_RETRY);
	set_alarm(clock, SAVE_STACK, NOTE_STACK);
	if (warn_ms)
		set_alarm(clock, REPORT, msecs_to_jiffies(warn_ms));
	if (bound->timeout != MAX_SCHEDULE_TIMEOUT)
		set_alarm(clock, GIVE_UP, bound->timeout);
}

/* How long to sleep, in jiffies. */
static long until_next_alarm(const struct wait_clock *clock)
{
	unsigned long now = jiffies;
	long left = MAX_SCHEDULE_TIMEOUT;
	int i;

	for (i = 0; i < NR_ALARMS; i++)
		if (clock->set & BIT(i))
			left = min(left, (long)(clock->when[i] - now));
	return max(left, 0L);
}

/*
 * Is it time to give up?  0 if not.  Whose time is over has asked the backend before,
 * whatever woke him last; who is killed need not.
 */
static int time_to_go(const struct wait_clock *clock,
		      const struct pool_bound *bound)
{
	if (signal_pending_state(bound->state, current))
		return -EINTR;
	return clock->over ? -ETIMEDOUT : 0;
}

/* For debugfs.  The waiter's own doing, as not every kernel lets us read others'. */
static void note_stack(struct mpslab_pool *pool, struct pool_waiter *w)
{
	unsigned long stack[POOL_STACK], flags;
	unsigned int nr;

	/* Not at once to @w: who looks at the queue may be copying what is there. */
	nr = compat_stack_trace(stack, POOL_STACK, 1);
	raw_spin_lock_irqsave(&pool->lock, flags);
	memcpy(w->stack, stack, nr * sizeof(*stack));
	w->stack_nr = nr;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
}

static void fill_info(struct mpslab_pool *pool, struct pool_waiter *w, u64 now,
		      struct pool_waiter_info *info)
{
	lockdep_assert_held(&pool->lock);
	strscpy(info->comm, w->task->comm, sizeof(info->comm));
	info->pid = task_pid_nr(w->task);
	info->wanted = w->wanted;
	info->got = w->got;
	info->waited_ns = max_t(s64, 0, now - w->since);
	info->overtaken = pool->overtakes - w->overtakes;
	info->overdue = overdue(pool, w, now);
	info->stack_nr = w->stack_nr;
	memcpy(info->stack, w->stack, w->stack_nr * sizeof(*w->stack));
}

/* When one waits for long, most often all do: of a pool only one is reported. */
static bool may_report(struct mpslab_pool *pool)
{
	lockdep_assert_held(&pool->lock);
	if (pool->long_waits &&
	    (u32)jiffies - pool->reported_jiffies < REPORT_EVERY)
		return false;
	pool->reported_jiffies = jiffies;
	return true;
}

static noinline void report_wait(struct mpslab_pool *pool, struct pool_waiter *w)
{
	struct pool_waiter_info info;
	unsigned long flags;
	bool may;

	raw_spin_lock_irqsave(&pool->lock, flags);
	may = may_report(pool);
	pool->long_waits++;
	fill_info(pool, w, now_ns(), &info);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	if (may)
		pool_wait_report(pool, &info);
}

/*
 * Sleep until somebody wakes us, or an alarm.  Who was woken for the reserve and
 * comes too late sleeps again; any other wake-up makes us ask the backend, which
 * is what is returned, and so does the end of our time, as the last thing to try.
 */
static bool sleep_once(struct mpslab_pool *pool, struct pool_waiter *w,
		       struct wait_clock *clock)
{
	long left = until_next_alarm(clock);
	bool report;

	if (left && io_schedule_timeout(left))
		return !READ_ONCE(w->woken);
	__set_current_state(TASK_RUNNING);
	report = rings_once(clock, REPORT);
	if (rings_once(clock, SAVE_STACK) || report)
		note_stack(pool, w);
	if (report)
		report_wait(pool, w);
	clock->over = rings(clock, GIVE_UP);
	if (!rings(clock, ASK_BACKEND))
		return clock->over;
	set_alarm(clock, ASK_BACKEND, BACKEND_RETRY);
	return true;
}

/**
 * pool_wait() - wait for elements
 * @pool: the pool
 * @gfp: flags for asking the backend; without reclaim
 * @elems: filled with the elements
 * @got: how many there are already
 * @wanted: how many there are to be, more than @got
 * @bound: when to give up
 *
 * No wake-up is missed: the waiter looks at the reserve and at @got, clears
 * @woken and sets the task's state in one hold of the lock under which others add
 * to these and wake (models/litmus/pool-wake-up).  Nor is a signal: one that comes
 * before the state is set is seen by the scheduler, which then does not let the task
 * sleep.  Nor does he return while somebody still reads @w: whoever serves him wakes
 * him in the same hold of the lock (pool-waiter-on-stack).
 *
 * Why without reclaim: what is handed over to a waiter is of use to nobody
 * until he returns, so he must not meanwhile be in reclaim, which may wait for
 * one who waits behind him.
 *
 * Context: task; sleeps.
 * Return: 0, and then all are there; -EINTR if the task was killed, -ETIMEDOUT,
 * and then all have been freed, also those that there were already.
 */
int pool_wait(struct mpslab_pool *pool, gfp_t gfp, void **elems,
	      unsigned int got, unsigned int wanted,
	      const struct pool_bound *bound)
{
	struct pool_waiter w = {
		.task = current,
		.elems = elems,
		.wanted = wanted,
		.got = got,
		.own = got,
	};
	struct wait_clock clock;
	unsigned long flags;
	bool ask = false;
	int err = 0;

	wind_up(&clock, bound);
	if (READ_ONCE(pool->slow) & POOL_SLOW_TRACK)
		note_stack(pool, &w);
	raw_spin_lock_irqsave(&pool->lock, flags);
	join(pool, &w, &flags);
	while (w.got < wanted) {
		if (!ask) {
			err = time_to_go(&clock, bound);
			if (err) {
				dequeue(pool, &w);
				break;
			}
			__set_current_state(bound->state);
		}
		raw_spin_unlock_irqrestore(&pool->lock, flags);
		ask = ask ? ask_backend(pool, gfp, &w) :
			    sleep_once(pool, &w, &clock);
		raw_spin_lock_irqsave(&pool->lock, flags);
		look(pool, &w);
	}
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	/* pairs with smp_rmb() in reserve_is_full(); models/litmus/pool-handed-over */
	smp_wmb();
	if (err)
		while (w.got)
			mpslab_pool_free(elems[--w.got], pool);
	else if (READ_ONCE(pool->slow) & POOL_SLOW_TRACK)
		pool_track_take(pool, elems + w.own, w.got - w.own);
	return err;
}

/* ------------------------------------------------------- tuning and looking -- */

/**
 * pool_set_bypass() - set how long newcomers may overtake the first waiter
 * @pool: the pool
 * @usecs: the time in microseconds; 0 for strict order
 *
 * It also holds for those who wait already.
 *
 * Context: any but NMI.
 * Return: 0, or -ERANGE above %BYPASS_US_MAX.
 */
int pool_set_bypass(struct mpslab_pool *pool, unsigned int usecs)
{
	unsigned long flags;

	if (usecs > BYPASS_US_MAX)
		return -ERANGE;
	raw_spin_lock_irqsave(&pool->lock, flags);
	WRITE_ONCE(pool->bypass_ns, usecs * NSEC_PER_USEC);
	pool->passes = 0;
	serve_overdue(pool);
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return 0;
}
EXPORT_SYMBOL_IF_KUNIT(pool_set_bypass);

/**
 * pool_waiters() - who waits for a pool, in the order in which they are served
 * @pool: the pool
 * @info: filled with the first
 * @max: room in @info
 *
 * Context: any but NMI.
 * Return: how many wait; those beyond @max are counted only.
 */
unsigned int pool_waiters(struct mpslab_pool *pool,
			  struct pool_waiter_info *info, unsigned int max)
{
	struct pool_waiter *w;
	u64 now = now_ns();
	unsigned long flags;
	unsigned int nr = 0;

	raw_spin_lock_irqsave(&pool->lock, flags);
	list_for_each_entry(w, &pool->waiters, list) {
		if (nr == max)
			break;
		fill_info(pool, w, now, &info[nr]);
		nr++;
	}
	nr = pool->nr_waiters;
	raw_spin_unlock_irqrestore(&pool->lock, flags);
	return nr;
}
EXPORT_SYMBOL_IF_KUNIT(pool_waiters);
