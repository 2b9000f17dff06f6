// SPDX-License-Identifier: GPL-2.0
/*
 * Who calls from where: interrupts, somebody interrupted in the arrays, NMI, and
 * the CPUs of other nodes.
 */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/nodemask.h>
#include <linux/preempt.h>

#include "fixtures.h"

/* ---------------------------------------------------------------- contexts -- */

#define IRQ_OBJECTS	200

struct irq_use {
	struct mpslab_cache *cache;
	unsigned int got;
	void *objs[IRQ_OBJECTS];
};

static void use_atomically(void *arg)
{
	struct irq_use *use = arg;
	unsigned int i;

	for (i = 0; i < IRQ_OBJECTS; i++) {
		use->objs[i] = mpslab_cache_alloc(use->cache, GFP_ATOMIC);
		if (!use->objs[i])
			break;
		stamp_take(use->objs[i], STAMPED_SIZE, i + 1);
		use->got++;
	}
	while (i--) {
		stamp_give(use->objs[i], STAMPED_SIZE, i + 1);
		mpslab_cache_free(use->cache, use->objs[i]);
	}
}

static struct irq_use *irq_use(struct kunit *test)
{
	struct irq_use *use = kunit_kzalloc(test, sizeof(*use), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, use);
	use->cache = test_cache_small(test, 1);
	return use;
}

static void cache_use_in_softirq(struct kunit *test)
{
	struct irq_use *use = irq_use(test);

	run_in_softirq(test, use_atomically, use);
	KUNIT_EXPECT_EQ(test, use->got, (unsigned int)IRQ_OBJECTS);
	expect_stamps(test);
	test_cache_end(test, use->cache, 0);
}

static void cache_use_in_hardirq(struct kunit *test)
{
	struct irq_use *use = irq_use(test);

	run_in_hardirq(test, use_atomically, use);
	KUNIT_EXPECT_EQ(test, use->got, (unsigned int)IRQ_OBJECTS);
	expect_stamps(test);
	test_cache_end(test, use->cache, 0);
}

static void cache_free_in_hardirq_leaves_slabs_to_reap(struct kunit *test)
{
	struct irq_use *use = irq_use(test);
	struct cache_node *n = home(use->cache);

	n->free_limit = 0;
	run_in_hardirq(test, use_atomically, use);
	KUNIT_EXPECT_EQ(test, n->reaped, 0UL);
	KUNIT_EXPECT_GT(test, n->nr_free, 0UL);
	n->touched = true;	/* so that age is no reason */
	cache_reap(use->cache);
	KUNIT_EXPECT_GT(test, n->reaped, 0UL);
	KUNIT_EXPECT_EQ(test, n->nr_free, 0UL);
	test_cache_end(test, use->cache, 0);
}

/* As if an interrupt had hit somebody in the arrays. */
static void cache_use_with_array_closed_goes_to_node(struct kunit *test)
{
	struct irq_use *use = irq_use(test);
	struct mpslab_cache *cache = use->cache;
	struct cache_node *n = home(cache);
	unsigned int avail;
	void *obj;

	/* There, atomic context has what the cache has. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT)) {
		take_objects(test, cache, use->objs, IRQ_OBJECTS);
		give_objects(cache, use->objs, IRQ_OBJECTS);
		pin_to_this_cpu(test);
		cpu_cache_drain_local(cache);
	}
	take_objects(test, cache, &obj, 1);
	avail = here(cache)->ac.avail;
	KUNIT_ASSERT_GT(test, avail, 0U);
	preempt_disable();
	here(cache)->gate = 0;
	use_atomically(use);
	KUNIT_EXPECT_EQ(test, here(cache)->gate, 0U);
	here(cache)->gate = here(cache)->ac.limit;
	preempt_enable();
	KUNIT_EXPECT_EQ(test, use->got, (unsigned int)IRQ_OBJECTS);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, avail);
	KUNIT_EXPECT_EQ(test, n->allocs, (unsigned long)IRQ_OBJECTS);
	KUNIT_EXPECT_EQ(test, n->frees, (unsigned long)IRQ_OBJECTS);
	expect_stamps(test);
	give_objects(cache, &obj, 1);
	test_cache_end(test, cache, 0);
}

/* What makes in_nmi() true, on every architecture; nothing else is of an NMI. */
static unsigned long pretend_nmi(void)
{
	unsigned long irq;

	local_irq_save(irq);
	preempt_count_add(NMI_OFFSET + HARDIRQ_OFFSET);
	return irq;
}

static void end_nmi(unsigned long irq)
{
	preempt_count_sub(NMI_OFFSET + HARDIRQ_OFFSET);
	local_irq_restore(irq);
}

static void cache_use_in_nmi_stays_in_the_array(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	struct cache_node *n = home(cache);
	unsigned long irq, allocs;
	void *objs[SMALL_LIMIT], *first, *last, *busy;

	take_objects(test, cache, objs, SMALL_LIMIT);
	cpu_cache_drain_local(cache);
	give_objects(cache, objs, 1);
	allocs = n->allocs + n->grown;

	irq = pretend_nmi();
	first = mpslab_cache_alloc(cache, GFP_ATOMIC);
	last = mpslab_cache_alloc(cache, GFP_ATOMIC);
	mpslab_cache_free(cache, first);
	here(cache)->gate = 0;
	busy = mpslab_cache_alloc(cache, GFP_ATOMIC);
	here(cache)->gate = here(cache)->ac.limit;
	end_nmi(irq);

	KUNIT_EXPECT_PTR_EQ(test, first, objs[0]);
	KUNIT_EXPECT_NULL(test, last);
	KUNIT_EXPECT_NULL(test, busy);
	KUNIT_EXPECT_EQ(test, n->allocs + n->grown, allocs);
	give_objects(cache, objs + 1, SMALL_LIMIT - 1);
	test_cache_end(test, cache, 0);
}

static void free_in_nmi_without_room(struct kunit *test, u8 options)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	void *objs[SMALL_LIMIT + 1];
	unsigned long irq;

	KUNIT_ASSERT_EQ(test, cache_debug_set(cache, options, 1), 0);
	take_objects(test, cache, objs, SMALL_LIMIT + 1);
	cpu_cache_drain_local(cache);
	give_objects(cache, objs, SMALL_LIMIT);
	irq = pretend_nmi();
	mpslab_cache_free(cache, objs[SMALL_LIMIT]);
	end_nmi(irq);
	KUNIT_EXPECT_EQ(test, (long)cache_errors(cache), 1L);
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, (unsigned int)SMALL_LIMIT);
	expect_balanced(test, cache, 1);
	give_objects(cache, objs + SMALL_LIMIT, 1);
	test_cache_end(test, cache, 1);
}

static void cache_free_in_nmi_without_room_refused(struct kunit *test)
{
	free_in_nmi_without_room(test, 0);
}

/* It is still in use then, and can be freed later. */
static void debugged_free_in_nmi_without_room_refused(struct kunit *test)
{
	free_in_nmi_without_room(test, DEBUG_CHECKS | DEBUG_RED_ZONE);
}

/* ------------------------------------------------------------------- nodes -- */

static void alloc_node_impossible_node_refused(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_stamped(test);
	int bad[] = { -2, INT_MIN, nr_node_ids, INT_MAX };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_NULL(test, mpslab_cache_alloc_node(cache, GFP_KERNEL,
								bad[i]));
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->errors[ERROR_ARGUMENT]), 4L);
	test_cache_end(test, cache, 4);
}

static void alloc_node_local_and_any(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	void *objs[3];

	objs[0] = mpslab_cache_alloc_node(cache, GFP_KERNEL, NUMA_NO_NODE);
	objs[1] = mpslab_cache_alloc_node(cache, GFP_KERNEL, near_node());
	objs[2] = mpslab_cache_alloc_node(cache, GFP_KERNEL | __GFP_THISNODE,
					  near_node());
	KUNIT_ASSERT_NOT_NULL(test, objs[0]);
	KUNIT_ASSERT_NOT_NULL(test, objs[1]);
	KUNIT_ASSERT_NOT_NULL(test, objs[2]);
	KUNIT_EXPECT_EQ(test, page_to_nid(virt_to_page(objs[2])),
			near_node());
	give_objects(cache, objs, 3);
	test_cache_end(test, cache, 0);
}

static int remote_node(struct kunit *test)
{
	int nid;

	for_each_node_state(nid, N_MEMORY)
		if (nid != near_node())
			return nid;
	kunit_skip(test, "needs two nodes with memory");
}

static void alloc_node_remote_goes_home(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	int nid = remote_node(test);
	struct cache_balance b;
	void *objs[ALIEN_LIMIT + 1];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(objs); i++) {
		objs[i] = mpslab_cache_alloc_node(cache, GFP_KERNEL |
						  __GFP_THISNODE, nid);
		KUNIT_ASSERT_NOT_NULL(test, objs[i]);
		KUNIT_EXPECT_EQ(test, page_to_nid(virt_to_page(objs[i])), nid);
	}
	expect_balanced(test, cache, ARRAY_SIZE(objs));
	give_objects(cache, objs, ARRAY_SIZE(objs));
	KUNIT_EXPECT_EQ(test, here(cache)->ac.avail, 0U);
	cache_balance(cache, &b);
	/* a full alien array was sent home by the last of them */
	KUNIT_EXPECT_EQ(test, b.alien, 1UL);
	KUNIT_EXPECT_EQ(test, b.off, 0L);
	cpu_cache_drain_local(cache);
	cache_balance(cache, &b);
	KUNIT_EXPECT_EQ(test, b.alien, 0UL);
	KUNIT_EXPECT_EQ(test, cache->node[nid]->nr_partial, 0UL);
	test_cache_end(test, cache, 0);
}

/* As free_twice_in_a_row_refused(), of an object on its way home. */
static void alien_free_twice_in_a_row_refused(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 1);
	int nid = remote_node(test);
	struct cache_balance b;
	void *obj;

	obj = mpslab_cache_alloc_node(cache, GFP_KERNEL | __GFP_THISNODE, nid);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	mpslab_cache_free(cache, obj);
	mpslab_cache_free(cache, obj);
	KUNIT_EXPECT_EQ(test, 1L,
			atomic_long_read(&cache->errors[ERROR_DOUBLE_FREE]));
	cache_balance(cache, &b);
	KUNIT_EXPECT_EQ(test, b.alien, 1UL);
	KUNIT_EXPECT_EQ(test, b.off, 0L);
	test_cache_end(test, cache, 1);
}

/* Of a CPU whose node has no memory, too: there it can't be its own. */
static void near_node_has_memory(struct kunit *test)
{
	struct page *page;
	int cpu, nid;

	for_each_online_cpu(cpu) {
		nid = per_cpu(cpu_near_node, cpu);
		if (node_state(cpu_to_node(cpu), N_NORMAL_MEMORY))
			KUNIT_EXPECT_EQ(test, nid, cpu_to_node(cpu));
		page = alloc_pages_node(nid, GFP_KERNEL | __GFP_THISNODE, 0);
		KUNIT_EXPECT_NOT_NULL(test, page);
		if (page)
			__free_page(page);
	}
}

static void alloc_node_thisnode_without_memory_null(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	int nid = remote_node(test);
	void *held;

	held = test_cache_hold_one(test, cache);
	arm(test, pages_plan(cache), "every=1");
	KUNIT_EXPECT_NULL(test, mpslab_cache_alloc_node(cache, GFP_KERNEL |
							__GFP_THISNODE, nid));
	KUNIT_EXPECT_GT(test, disarm(pages_plan(cache)), 0UL);
	mpslab_cache_free(cache, held);
	test_cache_end(test, cache, 0);
}

static void alloc_node_remote_without_memory_falls_back(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_small(test, 0);
	int nid = remote_node(test);
	void *held, *obj;

	held = test_cache_hold_one(test, cache);
	arm(test, pages_plan(cache), "every=1");
	obj = mpslab_cache_alloc_node(cache, GFP_KERNEL, nid);
	KUNIT_EXPECT_GT(test, disarm(pages_plan(cache)), 0UL);
	KUNIT_EXPECT_NOT_NULL(test, obj);
	mpslab_cache_free(cache, obj);
	mpslab_cache_free(cache, held);
	test_cache_end(test, cache, 0);
}

static struct kunit_case slab_context_cases[] = {
	KUNIT_CASE(cache_use_in_softirq),
	KUNIT_CASE(cache_use_in_hardirq),
	KUNIT_CASE(cache_free_in_hardirq_leaves_slabs_to_reap),
	KUNIT_CASE(cache_use_with_array_closed_goes_to_node),
	KUNIT_CASE(cache_use_in_nmi_stays_in_the_array),
	KUNIT_CASE(cache_free_in_nmi_without_room_refused),
	KUNIT_CASE(debugged_free_in_nmi_without_room_refused),
	KUNIT_CASE(alloc_node_impossible_node_refused),
	KUNIT_CASE(alloc_node_local_and_any),
	KUNIT_CASE(alloc_node_remote_goes_home),
	KUNIT_CASE(alien_free_twice_in_a_row_refused),
	KUNIT_CASE(near_node_has_memory),
	KUNIT_CASE(alloc_node_thisnode_without_memory_null),
	KUNIT_CASE(alloc_node_remote_without_memory_falls_back),
	{}
};

static struct kunit_suite slab_context_suite = {
	.name = "mpslab_slab_context",
	.test_cases = slab_context_cases,
};

kunit_test_suite(slab_context_suite);
