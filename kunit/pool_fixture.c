// SPDX-License-Identifier: GPL-2.0
/* A pool's backend that does as it is told, and threads that wait. */

#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/kthread.h>

#include "pool_fixture.h"

/* Waits this long were not ended by a free, however slow the machine. */
#define LOST_NS		((RETRY_MS - 1000) * (u64)NSEC_PER_MSEC)

/* ------------------------------------------------------------- backend -- */

static void backend_error(struct test_backend *be, const char *what)
{
	if (atomic_inc_return(&be->errors) == 1)
		WRITE_ONCE(be->error, what);
}

static void elem_move(struct backend_elem *e, enum elem_state from,
		      enum elem_state to, const char *otherwise)
{
	if (atomic_cmpxchg(&e->state, from, to) != from)
		backend_error(e->be, otherwise);
}

static bool elem_is_ours(struct test_backend *be, struct backend_elem *e)
{
	if (e >= be->elems && e < be->elems + BACKEND_ELEMS &&
	    e == &be->elems[e->serial])
		return true;
	backend_error(be, "an element that the backend never made");
	return false;
}

void backend_close(struct test_backend *be)
{
	WRITE_ONCE(be->closed, true);
}

void backend_open(struct test_backend *be)
{
	WRITE_ONCE(be->closed, false);
}

/* The bookkeeping of one call; false if it is to fail.  Under be->lock. */
static bool backend_count_call(struct test_backend *be, gfp_t gfp)
{
	if (be->calls < BACKEND_CALLS)
		be->gfp[be->calls] = gfp;
	be->calls++;
	if (be->calls == be->close_call)
		backend_close(be);
	if (READ_ONCE(be->closed) && be->calls != be->open_call)
		return false;
	return be->calls != READ_ONCE(be->fail_call) && be->idle;
}

void *backend_alloc(gfp_t gfp, void *pool_data)
{
	struct test_backend *be = pool_data;
	struct backend_elem *e = NULL;
	void (*hook)(struct test_backend *be, gfp_t gfp);
	unsigned long flags;

	hook = READ_ONCE(be->on_alloc);
	if (hook)
		hook(be, gfp);

	raw_spin_lock_irqsave(&be->lock, flags);
	if (backend_count_call(be, gfp)) {
		e = be->idle;
		be->idle = e->next;
		be->live++;
		elem_move(e, ELEM_IDLE, ELEM_POOLED, "made one twice");
	}
	raw_spin_unlock_irqrestore(&be->lock, flags);
	return e;
}

void backend_free(void *element, void *pool_data)
{
	struct test_backend *be = pool_data;
	struct backend_elem *e = element;
	void (*hook)(struct test_backend *be);
	unsigned long flags;

	if (!elem_is_ours(be, e))
		return;

	raw_spin_lock_irqsave(&be->lock, flags);
	be->frees++;
	if (atomic_cmpxchg(&e->state, ELEM_POOLED, ELEM_IDLE) == ELEM_POOLED) {
		e->next = be->idle;
		be->idle = e;
		be->live--;
	} else {
		backend_error(be, "the pool freed one that it did not have");
	}
	raw_spin_unlock_irqrestore(&be->lock, flags);

	hook = READ_ONCE(be->on_free);
	if (hook)
		hook(be);
}

void backend_init(struct test_backend *be)
{
	unsigned int i;

	memset(be, 0, sizeof(*be));
	raw_spin_lock_init(&be->lock);
	for (i = 0; i < BACKEND_ELEMS; i++) {
		be->elems[i].be = be;
		be->elems[i].serial = i;
		be->elems[i].next = be->idle;
		be->idle = &be->elems[i];
	}
}

/* Count the calls from here. */
void backend_forget(struct test_backend *be)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&be->lock, flags);
	be->calls = 0;
	be->frees = 0;
	raw_spin_unlock_irqrestore(&be->lock, flags);
}

void elem_claim(struct test_backend *be, void *element, unsigned long owner)
{
	struct backend_elem *e = element;

	if (!elem_is_ours(be, e))
		return;
	elem_move(e, ELEM_POOLED, ELEM_HELD, "one element in two hands");
	WRITE_ONCE(e->owner, owner);
}

void elem_release(struct test_backend *be, void *element, unsigned long owner)
{
	struct backend_elem *e = element;

	if (!elem_is_ours(be, e))
		return;
	if (READ_ONCE(e->owner) != owner)
		backend_error(be, "somebody else wrote to a held element");
	elem_move(e, ELEM_HELD, ELEM_POOLED, "let go of one that was not held");
}

/* -------------------------------------------------------------- client -- */

void pool_start(struct pool_test *pt, int min_nr)
{
	KUNIT_ASSERT_EQ(pt->test, 0,
			mpslab_pool_init(&pt->pool, min_nr, backend_alloc,
					 backend_free, &pt->be));
	KUNIT_ASSERT_EQ(pt->test, 0, pool_set_bypass(&pt->pool, 0));
	backend_forget(&pt->be);
}

void *pool_get(struct pool_test *pt, gfp_t gfp)
{
	void *e = mpslab_pool_alloc(&pt->pool, gfp);

	if (e)
		elem_claim(&pt->be, e, (unsigned long)current);
	return e;
}

void *pool_get_reserved(struct pool_test *pt)
{
	void *e = mpslab_pool_alloc_preallocated(&pt->pool);

	if (e)
		elem_claim(&pt->be, e, (unsigned long)current);
	return e;
}

void pool_put(struct pool_test *pt, void *element)
{
	elem_release(&pt->be, element, (unsigned long)current);
	mpslab_pool_free(element, &pt->pool);
}

void pool_put_many(struct pool_test *pt, void **elems, unsigned int nr)
{
	while (nr--)
		pool_put(pt, *elems++);
}

void pool_exhaust(struct pool_test *pt, void **elems, unsigned int nr)
{
	backend_close(&pt->be);
	while (nr--) {
		*elems = pool_get(pt, GFP_NOWAIT);
		KUNIT_ASSERT_NOT_NULL(pt->test, *elems);
		elems++;
	}
	KUNIT_ASSERT_EQ(pt->test, 0, pt->pool.curr_nr);
	backend_forget(&pt->be);
}

/* ------------------------------------------------------------- waiters -- */

static unsigned int waiter_wants(struct waiter_thread *w)
{
	return max(w->count, 1U);
}

static int waiter_fn(void *data)
{
	struct waiter_thread *w = data;
	struct pool_test *pt = w->pt;
	unsigned int i;

	WRITE_ONCE(w->switches, current->nvcsw);
	if (w->how)
		w->ret = w->how(w);
	else if (w->count)
		w->ret = mpslab_pool_alloc_bulk(&pt->pool, w->elems, w->count);
	else
		w->elems[0] = mpslab_pool_alloc(&pt->pool, w->gfp);

	for (i = 0; i < waiter_wants(w); i++)
		if (w->elems[i])
			elem_claim(&pt->be, w->elems[i], (unsigned long)w);
	/* pairs with waiter_served(): what it got can be looked at */
	smp_store_release(&w->served, true);
	return 0;
}

struct waiter_thread *waiter_launch(struct pool_test *pt, gfp_t gfp,
				    unsigned int count)
{
	struct waiter_thread *w = &pt->waiter[pt->nr_waiters];

	KUNIT_ASSERT_LT(pt->test, pt->nr_waiters, (unsigned int)POOL_WAITERS);
	KUNIT_ASSERT_LE(pt->test, count, (unsigned int)WAITER_ELEMS);
	w->pt = pt;
	w->how = pt->how;
	w->gfp = gfp;
	w->count = count;
	w->switches = ULONG_MAX;
	w->task = kthread_create(waiter_fn, w, "waiter%u", pt->nr_waiters);
	KUNIT_ASSERT_FALSE(pt->test, IS_ERR(w->task));
	get_task_struct(w->task);
	pt->nr_waiters++;
	wake_up_process(w->task);
	return w;
}

/*
 * Who is queued, and whose state says that he sleeps, may still be on his way to
 * the scheduler, which counts his going to sleep.  Only when it has done so is any
 * further count due to a wake-up.
 */
static bool soon_asleep(struct waiter_thread *w)
{
	unsigned long end = jiffies + msecs_to_jiffies(SOON_MS);

	while (waiter_switches(w) <= READ_ONCE(w->switches)) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(50, 100);
	}
	return true;
}

static struct waiter_thread *waiter_start_any(struct pool_test *pt, gfp_t gfp,
					      unsigned int count)
{
	unsigned int before = READ_ONCE(pt->pool.nr_waiters);
	struct waiter_thread *w = waiter_launch(pt, gfp, count);

	KUNIT_ASSERT_TRUE(pt->test, soon_waiting(pt, before + 1));
	KUNIT_ASSERT_TRUE(pt->test, soon_asleep(w));
	return w;
}

struct waiter_thread *waiter_start(struct pool_test *pt, gfp_t gfp)
{
	return waiter_start_any(pt, gfp, 0);
}

struct waiter_thread *waiter_start_bulk(struct pool_test *pt, unsigned int count)
{
	return waiter_start_any(pt, GFP_KERNEL, count);
}

bool waiter_served(struct waiter_thread *w)
{
	/* pairs with waiter_fn() */
	return smp_load_acquire(&w->served);
}

unsigned int waiters_served(struct pool_test *pt)
{
	unsigned int i, nr = 0;

	for (i = 0; i < pt->nr_waiters; i++)
		nr += waiter_served(&pt->waiter[i]);
	return nr;
}

unsigned long waiter_switches(struct waiter_thread *w)
{
	return READ_ONCE(w->task->nvcsw);
}

void waiter_put(struct waiter_thread *w)
{
	unsigned int i;

	for (i = 0; i < waiter_wants(w); i++) {
		if (!w->elems[i])
			continue;
		elem_release(&w->pt->be, w->elems[i], (unsigned long)w);
		mpslab_pool_free(w->elems[i], &w->pt->pool);
		w->elems[i] = NULL;
	}
}

static bool soon_served_ms(struct pool_test *pt, unsigned int nr,
			   unsigned int ms)
{
	unsigned long end = jiffies + msecs_to_jiffies(ms);

	while (waiters_served(pt) < nr) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(100, 200);
	}
	return true;
}

bool soon_served(struct pool_test *pt, unsigned int nr)
{
	return soon_served_ms(pt, nr, SOON_MS);
}

bool soon_waiting(struct pool_test *pt, unsigned int nr)
{
	unsigned long end = jiffies + msecs_to_jiffies(SOON_MS);

	while (READ_ONCE(pt->pool.nr_waiters) != nr) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(100, 200);
	}
	return true;
}

bool soon_called(struct test_backend *be, unsigned int calls)
{
	unsigned long end = jiffies + msecs_to_jiffies(RETRY_MS + SOON_MS);

	while (READ_ONCE(be->calls) < calls) {
		if (time_after(jiffies, end))
			return false;
		usleep_range(1000, 2000);
	}
	return true;
}

void let_settle(void)
{
	msleep(NEVER_MS);
}

void start_queue(struct pool_test *pt, void **elems, unsigned int nr,
		 unsigned int waiting)
{
	pool_start(pt, nr);
	pool_exhaust(pt, elems, nr);
	while (waiting--)
		waiter_start(pt, GFP_KERNEL);
}

void expect_served_first(struct pool_test *pt, unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < pt->nr_waiters; i++)
		KUNIT_EXPECT_EQ_MSG(pt->test, i < nr,
				    waiter_served(&pt->waiter[i]),
				    "thread %u of %u", i, pt->nr_waiters);
	KUNIT_EXPECT_EQ(pt->test, pt->nr_waiters - nr, pt->pool.nr_waiters);
}

/* --------------------------------------------------------- a case's ends -- */

int pool_test_init(struct kunit *test)
{
	struct pool_test *pt = kzalloc(sizeof(*pt), GFP_KERNEL);

	if (!pt)
		return -ENOMEM;
	pt->test = test;
	backend_init(&pt->be);
	pt->reports = usage_bugs();
	test->priv = pt;
	return 0;
}

/*
 * Let the threads come home, whatever state a failed case left them in: what
 * the served ones hold serves the others, and so do the periodic tries.
 */
static bool waiters_join(struct pool_test *pt)
{
	unsigned long end = jiffies + msecs_to_jiffies(2 * RETRY_MS);
	unsigned int i, left = pt->nr_waiters;

	while (left && time_before(jiffies, end)) {
		for (i = 0, left = 0; i < pt->nr_waiters; i++) {
			if (waiter_served(&pt->waiter[i]))
				waiter_put(&pt->waiter[i]);
			else
				left++;
		}
		if (left)
			usleep_range(100, 200);
	}
	for (i = 0; i < pt->nr_waiters && !left; i++) {
		kthread_stop(pt->waiter[i].task);
		put_task_struct(pt->waiter[i].task);
	}
	return !left;
}

static void pool_test_expect_clean(struct kunit *test, struct pool_test *pt)
{
	KUNIT_EXPECT_EQ_MSG(test, 0, atomic_read(&pt->be.errors),
			    "first misuse: %s", pt->be.error);
	KUNIT_EXPECT_EQ_MSG(test, 0U, pt->be.live, "elements lost");
	KUNIT_EXPECT_EQ_MSG(test, (unsigned long)pt->expected_reports,
			    usage_bugs() - pt->reports, "callers' mistakes");
}

void pool_test_exit(struct kunit *test)
{
	struct pool_test *pt = test->priv;

	if (!pt)
		return;
	WRITE_ONCE(pt->be.on_alloc, NULL);
	WRITE_ONCE(pt->be.on_free, NULL);
	pt->be.fail_call = 0;
	backend_open(&pt->be);

	if (!waiters_join(pt)) {
		/* They still use it, so it has to be left to them. */
		KUNIT_FAIL(test, "stranded: %u of %u threads came home",
			   waiters_served(pt), pt->nr_waiters);
		return;
	}
	mpslab_pool_exit(&pt->pool);
	pool_test_expect_clean(test, pt);
	kfree(pt);
}

void expect_settled(struct pool_test *pt, int min_nr)
{
	int kept = max(min_nr, 1);
	struct pool_counts c;

	pool_counts(&pt->pool, &c);
	KUNIT_EXPECT_EQ(pt->test, min_nr, pt->pool.min_nr);
	KUNIT_EXPECT_EQ(pt->test, kept, pt->pool.curr_nr);
	KUNIT_EXPECT_EQ(pt->test, (unsigned int)kept, pt->be.live);
	KUNIT_EXPECT_EQ(pt->test, 0U, pt->pool.nr_waiters);
	KUNIT_EXPECT_EQ(pt->test, 0LL, c.outstanding);
	KUNIT_EXPECT_LT_MSG(pt->test, pt->pool.longest_wait_ns, LOST_NS,
			    "a wake-up was lost");
}

void expect_backend_untouched(struct pool_test *pt)
{
	KUNIT_EXPECT_EQ_MSG(pt->test, 0U, pt->be.frees,
			    "a free missed that the reserve was not full");
}
