// SPDX-License-Identifier: GPL-2.0
/*
 * All CPUs at once.  Every object carries a stamp, so that one that two clients
 * hold is caught as it happens; at the end every object is accounted for and
 * the lists are recounted.
 *
 * The storms are bounded by time, not by operations, so that they take as long
 * on a slow debug kernel as on a fast one.
 */
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/smp.h>

#include "fixtures.h"

#define STORM_MS	250	/* how long a storm lasts, milliseconds */
#define HAND		64	/* objects that a thread holds at most */
#define CREW_MAX	8	/* threads in one case, apart from the storm's own */

/* ------------------------------------------------- what the threads do -- */

/**
 * struct hand - objects that one context holds
 * @cache: where they are from
 * @objs: the objects, NULL where there is none
 * @id: distinguishes its stamps from others'
 * @seq: makes each stamp different
 * @owner: the stamp of each object
 * @gfp: flags of its allocations
 */
struct hand {
	struct mpslab_cache *cache;
	void *objs[HAND];
	unsigned long owner[HAND];
	unsigned int id;
	unsigned long seq;
	gfp_t gfp;
};

/* Allocate or free at @slot; false if an allocation failed or a stamp is wrong. */
static bool hand_turn(struct hand *hand, unsigned int slot)
{
	void *obj = hand->objs[slot];
	bool ok;

	if (obj) {
		ok = stamp_give(obj, STAMPED_SIZE, hand->owner[slot]);
		hand->objs[slot] = NULL;
		mpslab_cache_free(hand->cache, obj);
		return ok;
	}
	obj = mpslab_cache_alloc(hand->cache, hand->gfp);
	if (!obj)
		return false;
	hand->owner[slot] = stamp_owner(hand->id, ++hand->seq & 0xffffffff);
	hand->objs[slot] = obj;
	return stamp_take(obj, STAMPED_SIZE, hand->owner[slot]);
}

/* Free all; returns how many were wrong. */
static unsigned int hand_empty(struct hand *hand)
{
	unsigned int slot, wrong = 0;

	for (slot = 0; slot < HAND; slot++)
		if (hand->objs[slot])
			wrong += !hand_turn(hand, slot);
	return wrong;
}

static struct hand *hand_new(struct crew_member *me)
{
	struct hand *hand = kzalloc(sizeof(*hand), GFP_KERNEL);

	crew_expect(me, hand);
	if (!hand)
		return NULL;
	hand->cache = me->data;
	hand->id = me->index;
	hand->gfp = GFP_KERNEL;
	return hand;
}

/* Allocate and free at random until the time is over. */
static void storm(struct crew_member *me)
{
	struct hand *hand = hand_new(me);

	while (hand && crew_going(me)) {
		crew_expect(me, hand_turn(hand, random_below(&me->rnd, HAND)));
		me->ops++;
	}
	if (hand)
		crew_expect(me, !hand_empty(hand));
	kfree(hand);
}

/* The same in tides, so that arrays fill and run dry all the time. */
static void tides(struct crew_member *me)
{
	struct hand *hand = hand_new(me);
	unsigned int slot;

	while (hand && crew_going(me)) {
		for (slot = 0; slot < HAND; slot++)
			crew_expect(me, hand_turn(hand, slot));
		me->ops++;
	}
	if (hand)
		crew_expect(me, !hand_empty(hand));
	kfree(hand);
}

/* --------------------------------------------------------- the case's side -- */

/* A cache whose arrays are so small that the node is always in use. */
static struct mpslab_cache *racy_cache(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);

	KUNIT_ASSERT_EQ(test, cache_tune(cache, SMALL_LIMIT, SMALL_BATCH, 2), 0);
	return cache;
}

static void end_race(struct kunit *test, struct mpslab_cache *cache,
		     unsigned long ops)
{
	KUNIT_EXPECT_GT(test, ops, 0UL);
	expect_stamps(test);
	test_cache_end(test, cache, 0);
}

/*
 * For @ms milliseconds @fn on every CPU, and beside it what disturbs it:
 * @disturb, on the last CPU, if not NULL.
 */
static unsigned long run_disturbed_for(struct kunit *test,
				       struct mpslab_cache *cache,
				       void (*fn)(struct crew_member *me),
				       void (*disturb)(struct crew_member *me),
				       unsigned int ms)
{
	unsigned int i, nr = min_t(unsigned int, num_online_cpus(), CREW_MAX);
	struct crew_job jobs[CREW_MAX + 1];

	for (i = 0; i < nr; i++)
		jobs[i] = (struct crew_job){ .fn = fn, .data = cache, .cpu = i };
	jobs[nr] = (struct crew_job){ .fn = disturb, .data = cache,
				      .cpu = nr - 1 };
	return crew_run(test, jobs, nr + !!disturb, ms);
}

static unsigned long run_disturbed(struct kunit *test,
				   struct mpslab_cache *cache,
				   void (*fn)(struct crew_member *me),
				   void (*disturb)(struct crew_member *me))
{
	return run_disturbed_for(test, cache, fn, disturb, STORM_MS);
}

static void race_storm_default_arrays(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);

	need_cpus(test, 2);
	end_race(test, cache, run_disturbed(test, cache, storm, NULL));
}

static void race_storm_small_arrays(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);

	need_cpus(test, 2);
	end_race(test, cache, run_disturbed(test, cache, storm, NULL));
}

static void race_storm_without_arrays_to_speak_of(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);

	need_cpus(test, 2);
	KUNIT_ASSERT_EQ(test, cache_tune(cache, 1, 1, 0), 0);
	end_race(test, cache, run_disturbed(test, cache, storm, NULL));
}

static void race_tides_refill_and_flush(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);

	need_cpus(test, 2);
	end_race(test, cache, run_disturbed(test, cache, tides, NULL));
}

/* ---------------------------------------------------- from CPU to CPU -- */

#define RING	256

/**
 * struct ring - objects on their way from one thread to the next
 * @cache: where they are from
 * @slot: an object each, or NULL; exchanged atomically
 */
struct ring {
	struct mpslab_cache *cache;
	void *slot[RING];
};

static unsigned long ring_owner(void *obj)
{
	return (unsigned long)obj | 1;
}

static bool ring_free(struct mpslab_cache *cache, void *obj)
{
	bool ok = stamp_give(obj, STAMPED_SIZE, ring_owner(obj));

	mpslab_cache_free(cache, obj);
	return ok;
}

/* Put an own object in place of one that most often another CPU allocated. */
static void pass_on(struct crew_member *me)
{
	struct ring *ring = me->data;
	void *obj;

	while (crew_going(me)) {
		obj = mpslab_cache_alloc(ring->cache, GFP_KERNEL);
		crew_expect(me, obj);
		if (!obj)
			break;
		crew_expect(me, stamp_take(obj, STAMPED_SIZE, ring_owner(obj)));
		obj = xchg(&ring->slot[random_below(&me->rnd, RING)], obj);
		if (obj)
			crew_expect(me, ring_free(ring->cache, obj));
		me->ops++;
	}
}

static void race_alloc_here_free_there(struct kunit *test)
{
	struct ring *ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	unsigned long ops;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, ring);
	need_cpus(test, 2);
	ring->cache = racy_cache(test);
	ops = crew_run_all(test, pass_on, ring, STORM_MS);
	for (i = 0; i < RING; i++)
		if (ring->slot[i])
			ring_free(ring->cache, ring->slot[i]);
	end_race(test, ring->cache, ops);
}

/* One CPU only allocates, the other only frees. */
static void produce(struct crew_member *me)
{
	struct ring *ring = me->data;
	void *obj;

	while (crew_going(me)) {
		if (READ_ONCE(ring->slot[me->ops % RING]))
			continue;
		obj = mpslab_cache_alloc(ring->cache, GFP_KERNEL);
		crew_expect(me, obj);
		if (!obj)
			break;
		crew_expect(me, stamp_take(obj, STAMPED_SIZE, ring_owner(obj)));
		/* pairs with consume(): who sees it sees its stamp */
		smp_store_release(&ring->slot[me->ops % RING], obj);
		me->ops++;
	}
}

static void consume(struct crew_member *me)
{
	struct ring *ring = me->data;
	void *obj;

	while (crew_going(me)) {
		/* pairs with produce() */
		obj = smp_load_acquire(&ring->slot[me->ops % RING]);
		if (!obj)
			continue;
		crew_expect(me, ring_free(ring->cache, obj));
		WRITE_ONCE(ring->slot[me->ops % RING], NULL);
		me->ops++;
	}
}

static void race_one_allocates_one_frees(struct kunit *test)
{
	struct ring *ring = kunit_kzalloc(test, sizeof(*ring), GFP_KERNEL);
	struct crew_job jobs[] = {
		{ .fn = produce, .data = ring, .cpu = 0 },
		{ .fn = consume, .data = ring, .cpu = 1 },
	};
	unsigned long ops;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, ring);
	need_cpus(test, 2);
	ring->cache = racy_cache(test);
	ops = crew_run(test, jobs, ARRAY_SIZE(jobs), STORM_MS);
	for (i = 0; i < RING; i++)
		if (ring->slot[i])
			ring_free(ring->cache, ring->slot[i]);
	end_race(test, ring->cache, ops);
}

/* -------------------------------------------------- meeting at one place -- */

/* All find the cache empty at once, grow it, and empty it again. */
static void grow_together(struct crew_member *me)
{
	struct hand *hand = hand_new(me);
	unsigned int slot;

	while (hand && crew_meet(me)) {
		for (slot = 0; slot < HAND; slot++)
			crew_expect(me, hand_turn(hand, slot));
		crew_expect(me, !hand_empty(hand));
		cpu_cache_drain_local(hand->cache);
		if (!crew_meet(me))
			break;
		if (!me->index)
			mpslab_cache_shrink(hand->cache);
		me->ops++;
	}
	kfree(hand);
}

static void race_all_grow_one_node(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);

	need_cpus(test, 2);
	end_race(test, cache, crew_run_all(test, grow_together, cache, STORM_MS));
}

/* All refill at once from lists that hold something for one of them. */
static void refill_together(struct crew_member *me)
{
	struct hand *hand = hand_new(me);

	while (hand && crew_meet(me)) {
		crew_expect(me, hand_turn(hand, 0));
		crew_expect(me, hand_turn(hand, 0));
		cpu_cache_drain_local(hand->cache);
		me->ops++;
	}
	kfree(hand);
}

static void race_all_refill_at_once(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);

	need_cpus(test, 2);
	end_race(test, cache,
		 crew_run_all(test, refill_together, cache, STORM_MS));
}

/* -------------------------------------------------- contexts of one CPU -- */

/**
 * struct irq_storm - hard and soft interrupts that use the cache of a storm
 * @hard: what the hard interrupt holds; it alone looks at it
 * @soft: what the soft interrupt holds
 * @tasklet: the soft interrupt
 * @turn: counts hard interrupts
 * @wrong: turns that failed
 */
struct irq_storm {
	struct hand hard;
	struct hand soft;
	struct tasklet_struct tasklet;
	unsigned long turn;
	atomic_t wrong;
};

/* The soft interrupt's turns may be interrupted by the hard one's. */
static void irq_turns(struct irq_storm *irq, struct hand *hand)
{
	unsigned long turn = READ_ONCE(irq->turn);
	unsigned int i;

	for (i = 0; i < 24; i++)
		if (!hand_turn(hand, (turn + i) % HAND))
			atomic_inc(&irq->wrong);
}

static void soft_turns(struct tasklet_struct *tasklet)
{
	struct irq_storm *irq = container_of(tasklet, struct irq_storm, tasklet);

	irq_turns(irq, &irq->soft);
}

static void hard_turns(void *arg)
{
	struct irq_storm *irq = arg;

	as_drivers_interrupt();
	WRITE_ONCE(irq->turn, irq->turn + 1);
	irq_turns(irq, &irq->hard);
	tasklet_schedule(&irq->tasklet);
}

/*
 * From another CPU, interrupt the first again and again: the interrupts land
 * anywhere, in the closed section as well.
 */
static void interrupt_first_cpu(struct crew_member *me)
{
	struct irq_storm *irq = me->data;
	int cpu = cpumask_first(cpu_online_mask);

	while (crew_going(me)) {
		smp_call_function_single(cpu, hard_turns, irq, 1);
		me->ops++;
		udelay(random_below(&me->rnd, 5));
	}
}

static void irq_storm_init(struct irq_storm *irq, struct mpslab_cache *cache)
{
	irq->hard = (struct hand){ .cache = cache, .gfp = GFP_ATOMIC, .id = 100 };
	irq->soft = (struct hand){ .cache = cache, .gfp = GFP_ATOMIC, .id = 101 };
	tasklet_setup(&irq->tasklet, soft_turns);
}

static void race_task_softirq_hardirq_on_one_cpu(struct kunit *test)
{
	struct irq_storm *irq = kunit_kzalloc(test, sizeof(*irq), GFP_KERNEL);
	struct mpslab_cache *cache = racy_cache(test);
	struct crew_job jobs[] = {
		{ .fn = storm, .data = cache, .cpu = 0 },
		{ .fn = interrupt_first_cpu, .data = irq, .cpu = 1 },
	};
	unsigned long ops = 0, direct = 0;
	unsigned int rounds = 0;
	struct cache_node *n;
	int nid;

	KUNIT_ASSERT_NOT_NULL(test, irq);
	need_cpus(test, 2);
	need_hardirq(test);
	irq_storm_init(irq, cache);
	/* Until an interrupt hit the closed section; few come to a slow guest. */
	do {
		ops += crew_run(test, jobs, ARRAY_SIZE(jobs), 3 * STORM_MS);
		for_each_cache_node(cache, nid, n)
			direct += n->allocs + n->frees;
	} while (!direct && ++rounds < 20);
	tasklet_kill(&irq->tasklet);
	KUNIT_EXPECT_EQ(test, hand_empty(&irq->hard), 0U);
	KUNIT_EXPECT_EQ(test, hand_empty(&irq->soft), 0U);
	KUNIT_EXPECT_EQ(test, atomic_read(&irq->wrong), 0);
	/* else the case is worth nothing */
	KUNIT_EXPECT_GT(test, direct, 0UL);
	kunit_info(test, "%lu interrupts, %lu objects past the arrays\n",
		   irq->turn, direct);
	end_race(test, cache, ops);
}

/* ----------------------------------------------------------- disturbances -- */

static void disturb_tune(struct crew_member *me)
{
	unsigned int limit, batchcount, err;

	while (crew_going(me)) {
		limit = 1 + random_below(&me->rnd, 40);
		batchcount = 1 + random_below(&me->rnd, limit);
		err = cache_tune(me->data, limit, batchcount,
				 random_below(&me->rnd, 4));
		crew_expect(me, !err);
		me->ops++;
	}
}

static void race_tune_in_storm(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);
	unsigned long ops;

	need_cpus(test, 2);
	ops = run_disturbed(test, cache, storm, disturb_tune);
	end_race(test, cache, ops);
}

static void disturb_debug(struct crew_member *me)
{
	while (crew_going(me)) {
		crew_expect(me, !cache_debug_set(me->data,
						 random_below(&me->rnd, 16), 1));
		me->ops++;
	}
}

/* Each change makes all slabs stale while both CPUs use them. */
static void race_debug_switched_in_storm(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);
	unsigned long ops;

	need_cpus(test, 2);
	ops = run_disturbed(test, cache, storm, disturb_debug);
	end_race(test, cache, ops);
}

static void disturb_shrink_and_reap(struct crew_member *me)
{
	while (crew_going(me)) {
		if (random_below(&me->rnd, 2))
			mpslab_cache_shrink(me->data);
		else
			cache_reap(me->data);
		me->ops++;
	}
}

static void race_shrink_and_reap_in_storm(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);

	need_cpus(test, 2);
	end_race(test, cache, run_disturbed(test, cache, tides,
					    disturb_shrink_and_reap));
}

static void disturb_drain(struct crew_member *me)
{
	while (crew_going(me)) {
		cpu_cache_drain_local(me->data);
		cpu_cache_reap_local(me->data);
		me->ops++;
	}
}

static void race_drain_in_storm(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);

	need_cpus(test, 2);
	end_race(test, cache, run_disturbed(test, cache, tides, disturb_drain));
}

/* What is not off while everything moves. */
static void disturb_balance(struct crew_member *me)
{
	struct cache_balance b;

	while (crew_going(me)) {
		cache_balance(me->data, &b);
		crew_expect(me, !b.off);
		crew_expect(me, b.in_use <= (CREW_MAX + 1) * HAND);
		crew_expect(me, b.objects >= b.in_use + b.free);
		me->ops++;
		udelay(random_below(&me->rnd, 20));
	}
}

static void race_balance_in_storm_is_never_off(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);

	need_cpus(test, 2);
	/* longer, as only a sum taken in the midst of a move could be off */
	end_race(test, cache, run_disturbed_for(test, cache, tides,
						disturb_balance, 4 * STORM_MS));
}

static void disturb_everything(struct crew_member *me)
{
	struct cache_balance b;

	while (crew_going(me)) {
		switch (random_below(&me->rnd, 4)) {
		case 0:
			crew_expect(me, !cache_tune(me->data, 6, 3, 1));
			break;
		case 1:
			mpslab_cache_shrink(me->data);
			break;
		case 2:
			cache_reap(me->data);
			break;
		default:
			cache_balance(me->data, &b);
			crew_expect(me, !b.off);
		}
		me->ops++;
	}
}

/* Two that disturb each other, too. */
static void race_everything_at_once(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);
	struct crew_job jobs[] = {
		{ .fn = storm, .data = cache, .cpu = 0 },
		{ .fn = tides, .data = cache, .cpu = 1 },
		{ .fn = disturb_everything, .data = cache, .cpu = 0 },
		{ .fn = disturb_everything, .data = cache, .cpu = 1 },
	};

	need_cpus(test, 2);
	end_race(test, cache,
		 crew_run(test, jobs, ARRAY_SIZE(jobs), 2 * STORM_MS));
}

/* ------------------------------------------------------------------ bulk -- */

static void bulk_storm(struct crew_member *me)
{
	struct mpslab_cache *cache = me->data;
	void *objs[HAND];
	unsigned int i, nr;

	while (crew_going(me)) {
		nr = 1 + random_below(&me->rnd, HAND);
		crew_expect(me, mpslab_cache_alloc_bulk(cache, GFP_KERNEL, nr,
							objs) == nr);
		for (i = 0; i < nr; i++)
			crew_expect(me, stamp_take(objs[i], STAMPED_SIZE,
						   stamp_owner(me->index, i)));
		for (i = 0; i < nr; i++)
			crew_expect(me, stamp_give(objs[i], STAMPED_SIZE,
						   stamp_owner(me->index, i)));
		mpslab_cache_free_bulk(cache, nr, objs);
		me->ops++;
	}
}

static void race_bulk_storm(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);

	need_cpus(test, 2);
	end_race(test, cache, run_disturbed(test, cache, bulk_storm,
					    disturb_drain));
}

/* --------------------------------------------------------- typesafe by RCU -- */

#define RCU_MAGIC	0x7a9e5afeUL

/**
 * struct rcu_stage - an object that readers find without taking hold of it
 * @cache: a SLAB_TYPESAFE_BY_RCU cache
 * @shown: the object, or NULL
 * @seen: readings
 */
struct rcu_stage {
	struct mpslab_cache *cache;
	unsigned long *shown;
	atomic_long_t seen;
};

static void rcu_ctor(void *obj)
{
	*(unsigned long *)obj = RCU_MAGIC;
}

/*
 * The object may be free or another one, but not something else.  Its slab may have left
 * its node, so that obj_to_slab() does not know it any more, but not its pages.
 */
static void rcu_reader(struct crew_member *me)
{
	struct rcu_stage *stage = me->data;
	unsigned long *obj;
	unsigned int i;

	while (crew_going(me)) {
		rcu_read_lock();
		obj = READ_ONCE(stage->shown);
		for (i = 0; obj && i < 50; i++) {
			crew_expect(me, READ_ONCE(*obj) == RCU_MAGIC);
			crew_expect(me, slab_detached(virt_to_head_page(obj)));
			cpu_relax();
		}
		rcu_read_unlock();
		me->ops += !!obj;
	}
}

static void rcu_writer(struct crew_member *me)
{
	struct rcu_stage *stage = me->data;
	unsigned long *obj;

	while (crew_going(me)) {
		obj = mpslab_cache_alloc(stage->cache, GFP_KERNEL);
		crew_expect(me, obj);
		if (!obj)
			break;
		WRITE_ONCE(stage->shown, obj);
		udelay(random_below(&me->rnd, 20));
		WRITE_ONCE(stage->shown, NULL);
		mpslab_cache_free(stage->cache, obj);
		mpslab_cache_shrink(stage->cache);
		me->ops++;
	}
}

static void race_typesafe_by_rcu_reader_sees_only_its_type(struct kunit *test)
{
	struct rcu_stage stage = { };
	struct crew_job jobs[] = {
		{ .fn = rcu_writer, .data = &stage, .cpu = 0 },
		{ .fn = rcu_reader, .data = &stage, .cpu = 1 },
	};
	unsigned long ops;

	need_cpus(test, 2);
	stage.cache = test_cache_ctor(test, 256, SLAB_TYPESAFE_BY_RCU, rcu_ctor);
	ops = crew_run(test, jobs, ARRAY_SIZE(jobs), STORM_MS);
	end_race(test, stage.cache, ops);
}

/* ------------------------------------------------------ creation, hotplug -- */

static void create_and_destroy(struct crew_member *me)
{
	struct mpslab_cache *cache;
	void *objs[HAND];
	unsigned int i;

	while (crew_going(me)) {
		/* the same name on all CPUs, so that they must be told apart */
		cache = mpslab_cache_create("kunit-race", 120, 0, 0, NULL);
		crew_expect(me, cache);
		if (!cache)
			break;
		for (i = 0; i < HAND; i++)
			objs[i] = mpslab_cache_alloc(cache, GFP_KERNEL);
		mpslab_cache_free_bulk(cache, HAND, objs);
		mpslab_cache_destroy(cache);
		crew_expect(me, !cache_is_listed(cache));
		me->ops++;
	}
}

static void race_create_and_destroy(struct kunit *test)
{
	unsigned int listed = caches_listed();
	unsigned long ops;

	need_cpus(test, 2);
	ops = crew_run_all(test, create_and_destroy, NULL, STORM_MS);
	KUNIT_EXPECT_GT(test, ops, 0UL);
	KUNIT_EXPECT_EQ(test, caches_listed(), listed);
}

#ifdef CONFIG_HOTPLUG_CPU
static void cpu_leaves_and_returns(struct crew_member *me)
{
	int cpu = cpumask_last(cpu_online_mask);

	while (crew_going(me)) {
		crew_expect(me, !remove_cpu(cpu));
		crew_expect(me, !add_cpu(cpu));
		me->ops++;
	}
}

/* The last CPU comes and goes; its thread's objects lie in its arrays then. */
static void race_cpu_leaves_in_storm(struct kunit *test)
{
	struct mpslab_cache *cache = racy_cache(test);
	struct crew_job jobs[] = {
		{ .fn = storm, .data = cache, .cpu = 0 },
		{ .fn = storm, .data = cache, .cpu = num_online_cpus() - 1 },
		{ .fn = cpu_leaves_and_returns, .data = cache, .cpu = 0 },
	};

	need_cpus(test, 2);
	end_race(test, cache,
		 crew_run(test, jobs, ARRAY_SIZE(jobs), 2 * STORM_MS));
}
#else
static void race_cpu_leaves_in_storm(struct kunit *test)
{
	kunit_skip(test, "needs CONFIG_HOTPLUG_CPU");
}
#endif

static struct kunit_case slab_race_cases[] = {
	KUNIT_CASE(race_storm_default_arrays),
	KUNIT_CASE(race_storm_small_arrays),
	KUNIT_CASE(race_storm_without_arrays_to_speak_of),
	KUNIT_CASE(race_tides_refill_and_flush),
	KUNIT_CASE(race_alloc_here_free_there),
	KUNIT_CASE(race_one_allocates_one_frees),
	KUNIT_CASE(race_all_grow_one_node),
	KUNIT_CASE(race_all_refill_at_once),
	KUNIT_CASE(race_task_softirq_hardirq_on_one_cpu),
	KUNIT_CASE(race_tune_in_storm),
	KUNIT_CASE(race_debug_switched_in_storm),
	KUNIT_CASE(race_shrink_and_reap_in_storm),
	KUNIT_CASE(race_drain_in_storm),
	KUNIT_CASE(race_balance_in_storm_is_never_off),
	KUNIT_CASE(race_everything_at_once),
	KUNIT_CASE(race_bulk_storm),
	KUNIT_CASE(race_typesafe_by_rcu_reader_sees_only_its_type),
	KUNIT_CASE(race_create_and_destroy),
	KUNIT_CASE(race_cpu_leaves_in_storm),
	{}
};

static struct kunit_suite slab_race_suite = {
	.name = "mpslab_slab_race",
	.test_cases = slab_race_cases,
};

kunit_test_suite(slab_race_suite);
