// SPDX-License-Identifier: GPL-2.0
/*
 * The pool under fire from several CPUs and contexts at once.
 *
 * Every storm ends with expect_settled(): all elements are back, so the reserve
 * is full, and the backend has given out exactly that many.  Until then, each
 * element is claimed and released in its holder's name, so none is in two hands
 * unnoticed.  A wake-up that got lost shows as a wait that only the waiter's own
 * periodic try ended, see expect_settled().
 */

#include <linux/delay.h>
#include <linux/kthread.h>

#include "fixtures.h"
#include "pool_fixture.h"

#define STORM_MS	300
#define STORM_THREADS	6
/* Short, so that waiters are overtaken and become overdue all the time. */
#define STORM_BYPASS_US	200
#define SLOTS		16

/* How a storm's backend behaves. */
enum weather { OPEN, CLOSED, FLAPPING };

/**
 * struct storm - what the members of a crew share
 * @pt: pool and backend
 * @slot: elements on their way from one member to another, under no lock
 * @nr: members that compete for elements
 * @from: the least size of the reserve while it is being resized
 * @to: the greatest
 * @task: members that others wake, with a reference
 * @feeding: members that depend on the interrupts, and have not ended
 * @irq: runs a function in a hard or soft interrupt
 */
struct storm {
	struct pool_test *pt;
	void *slot[SLOTS];
	unsigned int nr;
	unsigned int from;
	unsigned int to;
	struct task_struct *task[STORM_THREADS];
	atomic_t feeding;
	void (*irq)(struct kunit *test, void (*fn)(void *arg), void *arg);
};

static struct storm *storm_start(struct kunit *test, int min_nr,
				 enum weather weather)
{
	struct pool_test *pt = test->priv;
	struct storm *s = kunit_kzalloc(test, sizeof(*s), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, s);
	need_cpus(test, 2);
	pool_start(pt, min_nr);
	s->pt = pt;
	KUNIT_ASSERT_EQ(test, 0, pool_set_bypass(&pt->pool, STORM_BYPASS_US));
	if (weather != OPEN)
		backend_close(&pt->be);
	return s;
}

/* A crew of @nr with the same function and storm. */
static unsigned long storm_run(struct kunit *test, struct storm *s,
			       void (*fn)(struct crew_member *me),
			       unsigned int nr,
			       void (*other)(struct crew_member *me))
{
	struct crew_job jobs[STORM_THREADS + 2];
	unsigned int i;

	KUNIT_ASSERT_LE(test, nr, (unsigned int)STORM_THREADS);
	s->nr = nr;
	for (i = 0; i < nr; i++)
		jobs[i] = (struct crew_job){ .fn = fn, .data = s, .cpu = i };
	if (other)
		jobs[nr++] = (struct crew_job){ .fn = other, .data = s };
	return crew_run(test, jobs, nr, STORM_MS);
}

/* --------------------------------------------------------------- members -- */

/* Wait for one element, then see what else is there without waiting. */
static void take_and_put(struct crew_member *me, struct pool_test *pt)
{
	unsigned int i, nr = 0, want = 1 + random_below(&me->rnd, 4);
	void *e[4];

	e[nr] = pool_get(pt, random_below(&me->rnd, 2) ? GFP_KERNEL : GFP_NOIO);
	crew_expect(me, e[nr]);
	for (nr = 1; nr < want; nr++) {
		e[nr] = random_below(&me->rnd, 3) ? pool_get(pt, GFP_ATOMIC) :
						    pool_get_reserved(pt);
		if (!e[nr])
			break;
	}
	ndelay(random_below(&me->rnd, 2000));
	for (i = 0; i < nr; i++)
		pool_put(pt, e[i]);
}

static void allocating_member(struct crew_member *me)
{
	struct storm *s = me->data;

	while (crew_going(me)) {
		take_and_put(me, s->pt);
		me->ops++;
	}
}

static void flapping_member(struct crew_member *me)
{
	struct storm *s = me->data;

	while (crew_going(me)) {
		backend_open(&s->pt->be);
		udelay(random_below(&me->rnd, 50));
		backend_close(&s->pt->be);
		usleep_range(50, 200);
	}
}

static void resizing_member(struct crew_member *me)
{
	struct storm *s = me->data;
	int err;

	while (crew_going(me)) {
		err = mpslab_pool_resize(&s->pt->pool, s->from +
				random_below(&me->rnd, s->to - s->from + 1));
		crew_expect(me, !err || err == -ENOMEM);
		me->ops++;
	}
}

/* The two rules of mempool_wait.c, which hold at any instant. */
static void expect_rules(struct crew_member *me, struct mpslab_pool *pool)
{
	unsigned int nr = 0, bulk = 0;
	struct pool_waiter *w;

	list_for_each_entry(w, &pool->waiters, list) {
		crew_expect(me, nr || w->woken || !pool->curr_nr);
		bulk += is_bulk(w);
		nr++;
	}
	crew_expect(me, nr == pool->nr_waiters);
	crew_expect(me, bulk <= pool->bulk_waiters);
	crew_expect(me, !bulk || !pool->curr_nr);
}

static void watching_member(struct crew_member *me)
{
	struct pool_waiter_info info[STORM_THREADS + 2];
	struct storm *s = me->data;
	struct mpslab_pool *pool = &s->pt->pool;
	unsigned long flags;
	unsigned int i, nr;

	while (crew_going(me)) {
		raw_spin_lock_irqsave(&pool->lock, flags);
		expect_rules(me, pool);
		raw_spin_unlock_irqrestore(&pool->lock, flags);

		nr = pool_waiters(pool, info, ARRAY_SIZE(info));
		for (i = 0; i < nr; i++) {
			crew_expect(me, info[i].got < info[i].wanted);
			crew_expect(me, !i || !info[i].got);
		}
		usleep_range(10, 50);
	}
}

/* ------------------------------------------------------- allocate and free -- */

static void mempool_storm_open_backend_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 4, OPEN);

	storm_run(test, s, allocating_member, 4, NULL);
	expect_settled(s->pt, 4);
}

static void mempool_storm_closed_backend_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 4, CLOSED);

	storm_run(test, s, allocating_member, 6, watching_member);
	expect_backend_untouched(s->pt);
	expect_settled(s->pt, 4);
}

static void mempool_storm_one_element_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 1, CLOSED);

	storm_run(test, s, allocating_member, 6, watching_member);
	expect_backend_untouched(s->pt);
	expect_settled(s->pt, 1);
}

static void mempool_storm_flapping_backend_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 3, FLAPPING);

	storm_run(test, s, allocating_member, 6, flapping_member);
	expect_settled(s->pt, 3);
}

static void mempool_storm_pool_of_none_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 0, FLAPPING);

	storm_run(test, s, allocating_member, 4, flapping_member);
	expect_settled(s->pt, 0);
}

/* ------------------------------------------------------------------ resizing -- */

static void mempool_storm_resizes_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, 4, OPEN);

	s->to = 32;
	storm_run(test, s, resizing_member, 4, NULL);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&s->pt->pool, 8));
	expect_settled(s->pt, 8);
}

static void mempool_storm_resize_and_allocs_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, 4, OPEN);

	s->to = 32;
	storm_run(test, s, allocating_member, 4, resizing_member);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&s->pt->pool, 8));
	expect_settled(s->pt, 8);
}

/* Whoever grows the pool finds the backend open only now and then. */
static void flapping_resizing_member(struct crew_member *me)
{
	struct storm *s = me->data;

	while (crew_going(me)) {
		backend_open(&s->pt->be);
		WRITE_ONCE(s->pt->be.fail_call, READ_ONCE(s->pt->be.calls) +
						random_below(&me->rnd, 16));
		mpslab_pool_resize(&s->pt->pool,
				   s->from + random_below(&me->rnd, s->to));
		backend_close(&s->pt->be);
		mpslab_pool_resize(&s->pt->pool, s->from);
		usleep_range(20, 100);
		me->ops++;
	}
}

static void mempool_storm_failing_resize_and_waiters_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, 1, FLAPPING);

	s->from = 1;
	s->to = 12;
	storm_run(test, s, allocating_member, 5, flapping_resizing_member);
	backend_open(&s->pt->be);
	s->pt->be.fail_call = 0;
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&s->pt->pool, 3));
	expect_settled(s->pt, 3);
}

/*
 * Elements that the reserve never held come back while it grows, and those that
 * it does hold are taken while it is moved.
 */
static void hoarding_member(struct crew_member *me)
{
	struct storm *s = me->data;
	unsigned int nr;
	void *e[16];

	while (crew_going(me)) {
		for (nr = 0; nr < ARRAY_SIZE(e); nr++) {
			e[nr] = random_below(&me->rnd, 4) ?
					pool_get_reserved(s->pt) :
					pool_get(s->pt, GFP_ATOMIC);
			if (!e[nr])
				break;
		}
		pool_put_many(s->pt, e, nr);
		me->ops++;
	}
}

static void mempool_storm_resize_and_hoards_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, 2, OPEN);

	s->to = 24;
	storm_run(test, s, hoarding_member, 3, resizing_member);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&s->pt->pool, 2));
	expect_settled(s->pt, 2);
}

/* A reserve that takes long to move, in small steps, so that it is moved often. */
static void growing_member(struct crew_member *me)
{
	struct storm *s = me->data;
	unsigned int size = s->from;

	while (crew_going(me)) {
		size = size < s->to ? size + 1 : s->from;
		mpslab_pool_resize(&s->pt->pool, size);
		me->ops++;
	}
}

static void mempool_storm_growth_and_hoards_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, 2, OPEN);
	const struct crew_job jobs[] = {
		{ .fn = hoarding_member, .data = s, .cpu = 0 },
		{ .fn = growing_member, .data = s, .cpu = 1 },
	};

	s->from = 120;
	s->to = 180;
	crew_run(test, jobs, ARRAY_SIZE(jobs), STORM_MS);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&s->pt->pool, 2));
	expect_settled(s->pt, 2);
}

/* ---------------------------------------------------------------- bypass -- */

static void retuning_member(struct crew_member *me)
{
	static const unsigned int usecs[] = { 0, 1, 50, 1000, BYPASS_US_MAX };
	struct storm *s = me->data;
	unsigned int i;

	while (crew_going(me)) {
		i = random_below(&me->rnd, ARRAY_SIZE(usecs));
		crew_expect(me, !pool_set_bypass(&s->pt->pool, usecs[i]));
		udelay(random_below(&me->rnd, 100));
		usleep_range(10, 500);
	}
}

static void mempool_storm_bypass_changes_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 2, CLOSED);

	storm_run(test, s, allocating_member, 6, retuning_member);
	expect_backend_untouched(s->pt);
	expect_settled(s->pt, 2);
}

/* ---------------------------------------------------------------- bulk -- */

static void bulk_once(struct crew_member *me, struct storm *s,
		      unsigned int count)
{
	struct pool_test *pt = s->pt;
	void *e[WAITER_ELEMS] = {};
	unsigned int i, freed;

	crew_expect(me, !mpslab_pool_alloc_bulk(&pt->pool, e, count));
	for (i = 0; i < count; i++) {
		crew_expect(me, e[i]);
		elem_claim(&pt->be, e[i], (unsigned long)me);
	}
	ndelay(random_below(&me->rnd, 2000));
	for (i = 0; i < count; i++)
		elem_release(&pt->be, e[i], (unsigned long)me);
	freed = mpslab_pool_free_bulk(&pt->pool, e, count);
	for (i = freed; i < count; i++)
		backend_free(e[i], &pt->be);
}

static void whole_reserve_member(struct crew_member *me)
{
	struct storm *s = me->data;

	while (crew_going(me)) {
		bulk_once(me, s, WAITER_ELEMS);
		me->ops++;
	}
}

static void mempool_storm_bulks_of_whole_reserve_finish(struct kunit *test)
{
	struct storm *s = storm_start(test, WAITER_ELEMS, CLOSED);
	unsigned long ops;

	ops = storm_run(test, s, whole_reserve_member, 4, watching_member);
	KUNIT_EXPECT_GT(test, ops, 4UL);
	expect_settled(s->pt, WAITER_ELEMS);
}

/* The first one takes all there is, the others from one element up. */
static void mixed_member(struct crew_member *me)
{
	struct storm *s = me->data;

	while (crew_going(me)) {
		if (me->index)
			bulk_once(me, s, 1 + random_below(&me->rnd, 3));
		else
			bulk_once(me, s, WAITER_ELEMS);
		take_and_put(me, s->pt);
		me->ops++;
	}
}

static void mempool_storm_bulks_and_singles_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, WAITER_ELEMS, CLOSED);

	storm_run(test, s, mixed_member, 5, watching_member);
	expect_backend_untouched(s->pt);
	expect_settled(s->pt, WAITER_ELEMS);
}

static void mempool_storm_bulks_and_bypass_changes_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, WAITER_ELEMS, CLOSED);

	storm_run(test, s, mixed_member, 5, retuning_member);
	expect_backend_untouched(s->pt);
	expect_settled(s->pt, WAITER_ELEMS);
}

static void mempool_storm_bulks_and_flapping_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, WAITER_ELEMS, FLAPPING);

	storm_run(test, s, mixed_member, 5, flapping_member);
	expect_settled(s->pt, WAITER_ELEMS);
}

static void mempool_storm_bulks_and_resize_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, WAITER_ELEMS, OPEN);

	s->from = WAITER_ELEMS;
	s->to = 3 * WAITER_ELEMS;
	storm_run(test, s, mixed_member, 5, resizing_member);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&s->pt->pool, 2));
	expect_settled(s->pt, 2);
}

/* ----------------------------------------------------- from CPU to CPU -- */

/* Takes elements and passes them on, by plain stores. */
static void passing_member(struct crew_member *me)
{
	struct storm *s = me->data;
	void **slot = &s->slot[me->index];
	void *e;

	while (crew_going(me)) {
		if (READ_ONCE(*slot)) {
			cpu_relax();
			continue;
		}
		e = mpslab_pool_alloc(&s->pt->pool, GFP_ATOMIC);
		if (!e)
			continue;
		WRITE_ONCE(*slot, e);
		me->ops++;
	}
}

/* Frees what the others pass on, and no barrier on the way. */
static void freeing_member(struct crew_member *me)
{
	struct storm *s = me->data;
	bool going = true;
	unsigned int i;
	void *e;

	while (going) {
		going = crew_going(me);
		for (i = 0; i < s->nr; i++) {
			e = READ_ONCE(s->slot[i]);
			if (!e)
				continue;
			WRITE_ONCE(s->slot[i], NULL);
			mpslab_pool_free(e, &s->pt->pool);
		}
	}
}

static void free_slots(struct storm *s)
{
	unsigned int i;

	for (i = 0; i < SLOTS; i++)
		mpslab_pool_free(s->slot[i], &s->pt->pool);
}

/* The pair of barriers that the unlocked test of curr_nr needs. */
static void mempool_free_of_passed_element_sees_its_alloc(struct kunit *test)
{
	struct storm *s = storm_start(test, 1, CLOSED);
	const struct crew_job jobs[] = {
		{ passing_member, s, 0 },
		{ freeing_member, s, 1 },
	};

	s->nr = 1;
	KUNIT_EXPECT_GT(test, crew_run(test, jobs, 2, STORM_MS), 0UL);
	free_slots(s);
	expect_backend_untouched(s->pt);
	expect_settled(s->pt, 1);
}

static void mempool_free_of_passed_elements_refills(struct kunit *test)
{
	struct storm *s = storm_start(test, 2, CLOSED);
	const struct crew_job jobs[] = {
		{ passing_member, s, 0 },
		{ passing_member, s, 1 },
		{ freeing_member, s, 1 },
	};

	s->nr = 2;
	KUNIT_EXPECT_GT(test, crew_run(test, jobs, 3, STORM_MS), 0UL);
	free_slots(s);
	expect_backend_untouched(s->pt);
	expect_settled(s->pt, 2);
}

/* ------------------------------------------------------------- interrupts -- */

#define IRQ_BATCH	32

/* Take some, free some that others took, in whatever context this is. */
static void swap_in_interrupt(void *arg)
{
	struct storm *s = arg;
	unsigned int i;
	void *e;

	for (i = 0; i < IRQ_BATCH; i++) {
		e = mpslab_pool_alloc(&s->pt->pool, GFP_ATOMIC);
		e = xchg(&s->slot[i % SLOTS], e);
		mpslab_pool_free(e, &s->pt->pool);
	}
	for (i = 0; i < SLOTS; i++)
		mpslab_pool_free(xchg(&s->slot[i], NULL), &s->pt->pool);
}

static void interrupting_member(struct crew_member *me)
{
	struct storm *s = me->data;

	while (crew_going(me) || atomic_read(&s->feeding)) {
		s->irq(s->pt->test, swap_in_interrupt, s);
		me->ops++;
	}
}

/* Takes, sleeping for it, and lets the interrupts free it. */
static void feeding_member(struct crew_member *me)
{
	struct storm *s = me->data;
	void *e;

	while (crew_going(me)) {
		e = pool_get(s->pt, GFP_KERNEL);
		elem_release(&s->pt->be, e, (unsigned long)current);
		e = xchg(&s->slot[random_below(&me->rnd, SLOTS)], e);
		mpslab_pool_free(e, &s->pt->pool);
		me->ops++;
	}
	atomic_dec(&s->feeding);
}

static void interrupt_storm(struct kunit *test, struct storm *s)
{
	const struct crew_job jobs[] = {
		{ interrupting_member, s, 0 },
		{ feeding_member, s, 0 },
		{ feeding_member, s, 1 },
		{ feeding_member, s, 1 },
		{ interrupting_member, s, 1 },
	};

	atomic_set(&s->feeding, 3);
	crew_run(test, jobs, ARRAY_SIZE(jobs), STORM_MS);
	free_slots(s);
}

static void mempool_storm_softirqs_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 4, CLOSED);

	s->irq = run_in_softirq;
	interrupt_storm(test, s);
	expect_settled(s->pt, 4);
}

static void mempool_storm_hardirqs_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 4, CLOSED);

	need_hardirq(test);
	s->irq = run_in_hardirq;
	interrupt_storm(test, s);
	expect_settled(s->pt, 4);
}

static void resize_under_interrupts(struct kunit *test, struct storm *s)
{
	s->from = 0;
	s->to = 16;
	storm_run(test, s, interrupting_member, 2, resizing_member);
	free_slots(s);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_resize(&s->pt->pool, 5));
	expect_settled(s->pt, 5);
}

static void mempool_storm_resize_and_softirqs_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, 4, OPEN);

	s->irq = run_in_softirq;
	resize_under_interrupts(test, s);
}

static void mempool_storm_resize_and_hardirqs_settle(struct kunit *test)
{
	struct storm *s = storm_start(test, 4, OPEN);

	need_hardirq(test);
	s->irq = run_in_hardirq;
	resize_under_interrupts(test, s);
}

/* ------------------------------------------------------ wake-ups of others -- */

static void poked_member(struct crew_member *me)
{
	struct storm *s = me->data;

	WRITE_ONCE(s->task[me->index], get_task_struct(current));
	allocating_member(me);
}

/* Wakes the others for no reason. */
static void poking_member(struct crew_member *me)
{
	struct storm *s = me->data;
	struct task_struct *task;

	while (crew_going(me)) {
		task = READ_ONCE(s->task[random_below(&me->rnd, s->nr)]);
		if (task)
			wake_up_process(task);
		usleep_range(10, 30);
	}
}

static void mempool_storm_stray_wakeups_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 2, CLOSED);
	unsigned int i;

	storm_run(test, s, poked_member, 5, poking_member);
	for (i = 0; i < 5; i++)
		if (s->task[i])
			put_task_struct(s->task[i]);
	expect_backend_untouched(s->pt);
	expect_settled(s->pt, 2);
}

/* -------------------------------------------------------------------- names -- */

static void renaming_member(struct crew_member *me)
{
	static const char * const names[] = { "storm", "storm-2", "calm" };
	struct storm *s = me->data;

	while (crew_going(me)) {
		const char *name = names[random_below(&me->rnd, 3)];

		crew_expect(me, !mpslab_pool_set_name(&s->pt->pool, name));
		me->ops++;
	}
}

static void mempool_storm_renames_settles(struct kunit *test)
{
	struct storm *s = storm_start(test, 2, CLOSED);

	storm_run(test, s, renaming_member, 3, allocating_member);
	KUNIT_EXPECT_EQ(test, 0, mpslab_pool_set_name(&s->pt->pool, "calm"));
	KUNIT_EXPECT_STREQ(test, "calm", debugfs_pool_name(&s->pt->pool));
	expect_settled(s->pt, 2);
}

/* ----------------------------------------------------------- the pool's end -- */

/* All use a pool; who is first sets it up, and who is last takes it down. */
static void generation_member(struct crew_member *me)
{
	struct storm *s = me->data;
	struct pool_test *pt = s->pt;
	int i;

	while (crew_meet(me)) {
		if (!me->index) {
			crew_expect(me, !mpslab_pool_init(&pt->pool, 1,
							  backend_alloc,
							  backend_free,
							  &pt->be));
			backend_close(&pt->be);
			me->ops++;
		}
		if (!crew_meet(me))
			break;
		for (i = 0; i < 20; i++)
			take_and_put(me, pt);
		if (!crew_meet(me))
			break;
		if (!me->index) {
			mpslab_pool_exit(&pt->pool);
			crew_expect(me, !pt->be.live);
			backend_open(&pt->be);
		}
	}
}

static void mempool_exit_after_storms_frees_all(struct kunit *test)
{
	struct storm *s = storm_start(test, 0, OPEN);
	unsigned long generations;

	mpslab_pool_exit(&s->pt->pool);
	/* One on each CPU, as they spin to meet. */
	generations = storm_run(test, s, generation_member, 2, NULL);
	KUNIT_EXPECT_GT(test, generations, 0UL);
}

static struct kunit_case mempool_race_cases[] = {
	KUNIT_CASE(mempool_storm_open_backend_settles),
	KUNIT_CASE(mempool_storm_closed_backend_settles),
	KUNIT_CASE(mempool_storm_one_element_settles),
	KUNIT_CASE(mempool_storm_flapping_backend_settles),
	KUNIT_CASE(mempool_storm_pool_of_none_settles),
	KUNIT_CASE(mempool_storm_resizes_settle),
	KUNIT_CASE(mempool_storm_resize_and_allocs_settle),
	KUNIT_CASE(mempool_storm_failing_resize_and_waiters_settle),
	KUNIT_CASE(mempool_storm_resize_and_hoards_settle),
	KUNIT_CASE(mempool_storm_growth_and_hoards_settle),
	KUNIT_CASE(mempool_storm_bypass_changes_settles),
	KUNIT_CASE(mempool_storm_bulks_of_whole_reserve_finish),
	KUNIT_CASE(mempool_storm_bulks_and_singles_settle),
	KUNIT_CASE(mempool_storm_bulks_and_bypass_changes_settle),
	KUNIT_CASE(mempool_storm_bulks_and_flapping_settle),
	KUNIT_CASE(mempool_storm_bulks_and_resize_settle),
	KUNIT_CASE(mempool_free_of_passed_element_sees_its_alloc),
	KUNIT_CASE(mempool_free_of_passed_elements_refills),
	KUNIT_CASE(mempool_storm_softirqs_settles),
	KUNIT_CASE(mempool_storm_hardirqs_settles),
	KUNIT_CASE(mempool_storm_resize_and_softirqs_settle),
	KUNIT_CASE(mempool_storm_resize_and_hardirqs_settle),
	KUNIT_CASE(mempool_storm_stray_wakeups_settles),
	KUNIT_CASE(mempool_storm_renames_settles),
	KUNIT_CASE(mempool_exit_after_storms_frees_all),
	{}
};

static struct kunit_suite mempool_race_suite = {
	.name = "mpslab_mempool_race",
	.init = pool_test_init,
	.exit = pool_test_exit,
	.test_cases = mempool_race_cases,
};

kunit_test_suite(mempool_race_suite);
