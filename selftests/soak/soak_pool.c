// SPDX-License-Identifier: GPL-2.0
/*
 * The soak's pools.
 *
 * Whoever may sleep in an allocation has no element of any pool: all that is
 * taken is sent away at once, and comes back by itself, or is freed on the spot.
 * So every waiter can be served, and none should wait for long.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>

#include "soak.h"

/* The largest reserve, and what is taken of it at once. */
#define RESERVE_MAX	48U
#define LEAST_MAX	ERRAND_MAX

/* Jiffies, beyond what a timer's errand takes. */
#define TIMEOUT_MAX	5U

struct soak_pool soak_pools[SOAK_POOLS];

/* ---------------------------------------------------------------- the backends -- */

static void *flaky_alloc(gfp_t gfp, void *pool_data)
{
	struct soak_pool *p = pool_data;

	if (READ_ONCE(p->fails))
		return NULL;
	return mpslab_cache_alloc(p->cache, gfp);
}

static void flaky_free(void *element, void *pool_data)
{
	struct soak_pool *p = pool_data;

	mpslab_cache_free(p->cache, element);
}

/* An element of the page backend is a page, not its memory. */
static void *memory_of(struct soak_pool *p, void *element)
{
	return p->kind == POOL_PAGES ? page_address(element) : element;
}

/* May elements be freed in a hardirq that stays one on PREEMPT_RT? */
static bool backend_takes_any_context(struct soak_pool *p)
{
	return p->kind == POOL_SLAB || p->kind == POOL_FLAKY;
}

/* ------------------------------------------------------------------- elements -- */

static u32 element_stamp(struct worker *w, struct soak_pool *p, void *element)
{
	u32 stamp = worker_stamp(w);

	stamp_write(memory_of(p, element), p->size, stamp);
	return stamp;
}

/* Any context that the backend stands. */
void pool_put(struct worker *w, struct soak_pool *p, void *element, u32 stamp)
{
	stamp_check(w, p->name, memory_of(p, element), p->size, stamp);
	soak_count(C_POOL_FREE, 1);
	mpslab_pool_free(element, p->pool);
	place_leave(&p->place);
}

static void backend_free(struct soak_pool *p, void *element)
{
	p->pool->free(element, p->pool->pool_data);
}

/* What the pool does not need is for its caller to free. */
void pool_put_bulk(struct worker *w, struct soak_pool *p, void **elements,
		   const u32 *stamps, unsigned int nr)
{
	unsigned int i, kept;

	for (i = 0; i < nr; i++)
		stamp_check(w, p->name, memory_of(p, elements[i]), p->size,
			    stamps[i]);
	kept = mpslab_pool_free_bulk(p->pool, elements, nr);
	for (i = kept; i < nr; i++)
		backend_free(p, elements[i]);
	soak_count(C_POOL_FREE, nr);
	atomic_sub_return(nr, &p->place.users);
}

/* Away with elements; on the spot if all errands are under way. */
static void send(struct worker *w, struct soak_pool *p, void **elements,
		 unsigned int nr, u32 how)
{
	struct errand *e = errand_idle(w);
	u32 stamps[ERRAND_MAX];
	unsigned int i;

	for (i = 0; i < nr; i++)
		stamps[i] = element_stamp(w, p, elements[i]);
	if (!e) {
		for (i = 0; i < nr; i++)
			pool_put(w, p, elements[i], stamps[i]);
		return;
	}
	e->pool = p;
	e->bulk = how & 0x10000;
	e->nr_elements = nr;
	memcpy(e->elements, elements, nr * sizeof(*elements));
	memcpy(e->stamps, stamps, nr * sizeof(*stamps));
	errand_send(e, how, backend_takes_any_context(p));
}

static void *get_one_at_once(struct soak_pool *p, u32 how)
{
	enum soak_ctx ctx = CTX_TASK;
	unsigned long irq;
	void *element;

	if (backend_takes_any_context(p))
		ctx = below(again(how, 2), CTX_NMI);
	irq = ctx_enter(ctx);
	if (how & 8)
		element = mpslab_pool_alloc_preallocated(p->pool);
	else
		element = mpslab_pool_alloc(p->pool, __GFP_NOWARN |
					    (how & 16 ? GFP_ATOMIC : GFP_NOWAIT));
	ctx_leave(ctx, irq);
	return element;
}

/* Of the ways to wait, one in four can be killed, and one has a time. */
static unsigned int way_to_wait(u32 how)
{
	return below(again(how, 9), 4);
}

static bool can_be_killed(u32 how)
{
	return way_to_wait(how) == 0;
}

/* One element, by one of the ways to wait for it; or why there is none. */
static int get_one_waiting(struct worker *w, struct soak_pool *p, u32 how,
			   void **element)
{
	static const gfp_t gfps[] = { GFP_KERNEL, GFP_NOIO, GFP_NOFS };
	gfp_t gfp = __GFP_NOWARN | gfps[below(again(how, 1), ARRAY_SIZE(gfps))];
	int err;

	if (can_be_killed(how)) {
		WRITE_ONCE(w->killable, true);
		err = mpslab_pool_alloc_killable(p->pool, gfp, element);
		WRITE_ONCE(w->killable, false);
		return err;
	}
	if (way_to_wait(how) == 1)
		return mpslab_pool_alloc_timeout(p->pool, gfp,
						 below(again(how, 10), TIMEOUT_MAX),
						 element);
	*element = mpslab_pool_alloc(p->pool, gfp);
	return *element ? 0 : -ENOMEM;
}

/* Many of them likewise. */
static int get_bulk_waiting(struct worker *w, struct soak_pool *p, u32 how,
			    void **elements, unsigned int nr)
{
	int err;

	if (can_be_killed(how)) {
		WRITE_ONCE(w->killable, true);
		err = mpslab_pool_alloc_bulk_killable(p->pool, elements, nr);
		WRITE_ONCE(w->killable, false);
		return err;
	}
	if (way_to_wait(how) == 1)
		return mpslab_pool_alloc_bulk_timeout(p->pool, elements, nr,
						      below(again(how, 10),
							    TIMEOUT_MAX));
	return mpslab_pool_alloc_bulk(p->pool, elements, nr);
}

/* Who waits gets what he asked for, unless he was killed or had no time. */
static void waited(struct worker *w, struct soak_pool *p, unsigned long since,
		   int err)
{
	soak_waited(w, p, since);
	if (err == -EINTR && signal_pending(current))
		soak_count(C_POOL_KILLED, 1);
	else if (err == -ETIMEDOUT)
		soak_count(C_POOL_TIMED_OUT, 1);
	else if (err)
		soak_fail(w, "%s: an allocation that may sleep failed: %d",
			  p->name, err);
}

static void *get_one(struct worker *w, struct soak_pool *p, u32 how)
{
	unsigned long start = jiffies;
	void *element = NULL;

	if (how % 4 == 0) {
		element = get_one_at_once(p, how);
		soak_count(C_POOL_FAILED, !element);
	} else {
		waited(w, p, start, get_one_waiting(w, p, how, &element));
		/* A kill may come too late for what it was meant to end. */
		if (can_be_killed(how))
			flush_signals(current);
	}
	return element;
}

void pool_use(struct worker *w, struct soak_pool *p, u32 how, u32 more)
{
	void *element;

	if (!place_enter(&p->place))
		return;
	element = get_one(w, p, how);
	if (!element) {
		place_leave(&p->place);
		return;
	}
	soak_count(C_POOL_ALLOC, 1);
	send(w, p, &element, 1, more);
}

/* No more than the reserve may be, lest the pool complain. */
void pool_use_bulk(struct worker *w, struct soak_pool *p, u32 how, u32 more)
{
	void *elements[ERRAND_MAX];
	unsigned int nr;
	unsigned long start;
	int err;

	if (!place_enter(&p->place))
		return;
	nr = 1 + below(how, p->least);
	start = jiffies;
	err = get_bulk_waiting(w, p, how, elements, nr);
	waited(w, p, start, err);
	if (can_be_killed(how))
		flush_signals(current);
	if (err) {
		place_leave(&p->place);
		return;
	}
	soak_count(C_POOL_ALLOC, nr);
	/* We were counted once already. */
	atomic_add(nr - 1, &p->place.users);
	send(w, p, elements, nr, more);
}

/* ------------------------------------------------------------------ the reserve -- */

void pool_resize(struct worker *w, struct soak_pool *p, u32 how)
{
	int min_nr, err;

	if (!place_enter(&p->place))
		return;
	min_nr = p->least + below(how, RESERVE_MAX - p->least);
	/* A pool of none is one of one, too. */
	if (p->least == 1 && how % 8 == 0)
		min_nr = 0;
	err = mpslab_pool_resize(p->pool, min_nr);
	soak_count(err ? C_POOL_NOT_RESIZED : C_POOL_RESIZED, 1);
	/* That was what the kill has ended. */
	if (err == -EINTR)
		flush_signals(current);
	place_leave(&p->place);
}

/* Two of three times the backend has something. */
void pool_flap(struct soak_pool *p, u32 how)
{
	WRITE_ONCE(p->fails, how % 3 == 0);
}

/* ----------------------------------------------------------- coming and going -- */

static void pool_set_up(struct soak_pool *p, u32 how)
{
	static mpslab_pool_alloc_t * const allocs[NR_POOL_KINDS] = {
		mpslab_pool_alloc_slab, flaky_alloc, mpslab_pool_kmalloc,
		mpslab_pool_alloc_pages,
	};
	static mpslab_pool_free_t * const frees[NR_POOL_KINDS] = {
		mpslab_pool_free_slab, flaky_free, mpslab_pool_kfree,
		mpslab_pool_free_pages,
	};
	unsigned int order = how & 1;
	void *const data[NR_POOL_KINDS] = {
		p->cache, p, (void *)(unsigned long)p->size, (void *)(long)order,
	};
	int reserve = p->least + below(again(how, 4), RESERVE_MAX - p->least);

	if (p->kind == POOL_PAGES)
		p->size = PAGE_SIZE << order;
	if (how & 2) {
		p->pool = mpslab_pool_create(reserve, allocs[p->kind],
					     frees[p->kind], data[p->kind]);
	} else {
		p->pool = NULL;
		if (!mpslab_pool_init(&p->embedded, reserve, allocs[p->kind],
				      frees[p->kind], data[p->kind]))
			p->pool = &p->embedded;
	}
}

static void pool_create(struct soak_pool *p, u32 how, u32 more)
{
	static atomic_t serial;

	p->kind = below(again(how, 1), NR_POOL_KINDS);
	p->size = 16 + 8 * below(again(how, 2), 100);
	p->least = 1 + below(again(how, 3), LEAST_MAX);
	if (how & 0x100)
		p->least = 1;
	p->fails = false;
	snprintf(p->name, sizeof(p->name), "soak-pool-%d",
		 atomic_inc_return(&serial));
	if (backend_takes_any_context(p)) {
		p->cache = mpslab_cache_create(p->name, p->size, 0, 0, NULL);
		if (!p->cache)
			goto failed;
	}
	pool_set_up(p, more);
	if (!p->pool)
		goto failed;
	/* If the name is not to be had, it goes by the one that it was given. */
	mpslab_pool_set_name(p->pool, p->name);
	soak_count(C_POOL_CREATED, 1);
	return;

failed:
	soak_count(C_POOL_CREATE_FAILED, 1);
	mpslab_cache_destroy(p->cache);
	p->cache = NULL;
}

/* For worker number @index, who is yet to start. */
int pool_create_lone(struct soak_pool *p, unsigned int index)
{
	p->kind = POOL_FLAKY;
	p->size = 64;
	p->least = 2;
	snprintf(p->name, sizeof(p->name), "lone-%u", index);
	p->cache = mpslab_cache_create(p->name, p->size, 0, 0, NULL);
	if (!p->cache)
		return -ENOMEM;
	p->pool = mpslab_pool_create(p->least, flaky_alloc, flaky_free, p);
	if (!p->pool)
		return -ENOMEM;
	mpslab_pool_set_name(p->pool, p->name);
	p->fails = true;
	atomic_set(&p->place.state, PLACE_OPEN);
	return 0;
}

/* Of a pool that nobody uses any more, be it half made. */
void pool_destroy(struct soak_pool *p)
{
	if (p->pool == &p->embedded)
		mpslab_pool_exit(p->pool);
	else
		mpslab_pool_destroy(p->pool);
	p->pool = NULL;
	mpslab_cache_destroy(p->cache);
	p->cache = NULL;
}

/* Another pool in place of @p; all elements of the old one are on their way. */
void pool_recreate(struct worker *w, struct soak_pool *p, u32 how, u32 more)
{
	int old = atomic_read(&p->place.state);

	if (old == PLACE_CLOSED ||
	    atomic_cmpxchg(&p->place.state, old, PLACE_CLOSED) != old)
		return;
	while (atomic_read(&p->place.users) && soak_running()) {
		worker_settle(w);
		usleep_range(100, 500);
	}
	if (!soak_running()) {
		atomic_set(&p->place.state, old);
		return;
	}
	if (p->pool) {
		pool_destroy(p);
		soak_count(C_POOL_DESTROYED, 1);
	}
	pool_create(p, how, more);
	atomic_set_release(&p->place.state, p->pool ? PLACE_OPEN : PLACE_EMPTY);
}

/* Nobody works any more, and no element is out. */
void pools_destroy(void)
{
	struct soak_pool *p;

	for (p = soak_pools; p < soak_pools + SOAK_POOLS; p++) {
		if (!p->pool)
			continue;
		pool_destroy(p);
		soak_count(C_POOL_DESTROYED, 1);
	}
}
