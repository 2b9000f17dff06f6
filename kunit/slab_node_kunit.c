// SPDX-License-Identifier: GPL-2.0
/*
 * Page blocks, slabs and the nodes' lists, below the CPUs' arrays.
 *
 * The cases make slabs by hand, so that they know every object of a node.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/sizes.h>
#include <linux/vmalloc.h>
#include <linux/vmstat.h>

#include "fixtures.h"

/* The kernel's own slabs come and go while a case counts pages. */
#define PAGES_NOISE	128
#define PAGES_MANY	1024

static struct mpslab_cache *quiet_cache(struct kunit *test, unsigned int size,
					slab_flags_t flags)
{
	struct mpslab_cache *cache = test_cache(test, size, flags);

	keep_quiet(test, cache);
	return cache;
}

static struct mpslab_slab *new_slab(struct kunit *test,
				    struct mpslab_cache *cache)
{
	struct mpslab_slab *slab = slab_create(cache, GFP_KERNEL,
					       GFP_KERNEL, near_node());

	KUNIT_ASSERT_NOT_NULL(test, slab);
	slab->where &= ~SLAB_YOUNG;	/* in order */
	return slab;
}

static void release(struct mpslab_cache *cache, struct mpslab_slab *slab)
{
	LIST_HEAD(slabs);

	list_add(&slab->page->lru, &slabs);
	slab_list_release(cache, &slabs);
}

/* List @slab on its node, on which the limit does not matter here. */
static struct cache_node *join(struct mpslab_cache *cache,
			       struct mpslab_slab *slab)
{
	struct cache_node *n = cache->node[slab_nid(slab)];
	unsigned long irq;

	raw_spin_lock_irqsave(&n->list_lock, irq);
	n->free_limit = ULONG_MAX;
	node_add_slab(n, slab);
	raw_spin_unlock_irqrestore(&n->list_lock, irq);
	return n;
}

static void put_all(struct mpslab_cache *cache, void **objs, unsigned int nr,
		    struct list_head *empty)
{
	preempt_disable();
	put_objects(cache, objs, nr, empty);
	preempt_enable();
}

/* ------------------------------------------------------------------ slabs -- */

static void slab_take_gives_lowest_first(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	void **objs = test_pointers(test, 3);

	KUNIT_ASSERT_GT(test, slab->objects, 3U);
	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, 3), 3U);
	KUNIT_EXPECT_PTR_EQ(test, objs[0], slab_base(slab));
	KUNIT_EXPECT_PTR_EQ(test, objs[2], slab_base(slab) + 2 * cache->size);
	KUNIT_EXPECT_TRUE(test, slab_put(slab, objs[1]));
	KUNIT_EXPECT_EQ(test, slab->inuse, 2U);
	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, 1), 1U);
	KUNIT_EXPECT_PTR_EQ(test, objs[0], slab_base(slab) + cache->size);
	release(cache, slab);
	test_cache_end(test, cache, 0);
}

static void slab_take_more_than_free_gives_the_rest(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 8, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	void **objs = test_pointers(test, slab->objects + 1);

	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, 1), 1U);
	objs[slab->objects - 1] = NULL;
	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, UINT_MAX),
			slab->objects - 1);
	KUNIT_EXPECT_NULL(test, objs[slab->objects - 1]);
	KUNIT_EXPECT_EQ(test, slab->inuse, slab->objects);
	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, 1), 0U);
	release(cache, slab);
	test_cache_end(test, cache, 0);
}

/* One run of a slab in order is no proof that none is shuffled; eight are. */
static void slab_take_of_new_is_shuffled(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	unsigned int nr = cache->best.objects, turn, i, in_order = 0;
	void **objs = test_pointers(test, nr);

	for (turn = 0; turn < 8; turn++) {
		take_objects(test, cache, objs, nr);
		for (i = 1; i < nr; i++)
			in_order += abs(objs[i] - objs[i - 1]) == cache->size;
		give_objects(cache, objs, nr);
		mpslab_cache_shrink(cache);
	}
	KUNIT_EXPECT_LT(test, in_order, 8 * nr / 4);
	test_cache_end(test, cache, 0);
}

static void slab_put_twice_refused(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	void *objs[2];

	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, 2), 2U);
	KUNIT_EXPECT_TRUE(test, slab_put(slab, objs[0]));
	KUNIT_EXPECT_FALSE(test, slab_put(slab, objs[0]));
	KUNIT_EXPECT_EQ(test, slab->inuse, 1U);
	KUNIT_EXPECT_TRUE(test, slab_put(slab, objs[1]));
	KUNIT_EXPECT_EQ(test, slab->inuse, 0U);
	release(cache, slab);
	test_cache_end(test, cache, 0);
}

static void slab_put_of_no_object_refused(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 200, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	unsigned int objects = slab->objects;
	void **objs = test_pointers(test, objects);

	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, objects), objects);
	KUNIT_EXPECT_FALSE(test, slab_put(slab, slab_base(slab) - cache->size));
	KUNIT_EXPECT_FALSE(test, slab_put(slab, slab_base(slab) + 1));
	KUNIT_EXPECT_FALSE(test, slab_put(slab, objs[1] - 1));
	KUNIT_EXPECT_FALSE(test, slab_put(slab, objs[1] + 8));
	KUNIT_EXPECT_FALSE(test, slab_put(slab, objs[objects - 1] + cache->size));
	KUNIT_EXPECT_EQ(test, slab->inuse, objects);
	release(cache, slab);
	test_cache_end(test, cache, 0);
}

static void obj_to_slab_other_cache_null(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct mpslab_cache *other = quiet_cache(test, 64, 0);
	struct mpslab_slab *slab = new_slab(test, cache);

	KUNIT_EXPECT_PTR_EQ(test, obj_to_slab(cache, slab_base(slab)), slab);
	KUNIT_EXPECT_NULL(test, obj_to_slab(other, slab_base(slab)));
	release(cache, slab);
	test_cache_end(test, cache, 0);
	test_cache_end(test, other, 0);
}

#define REGION_SIZE	BIT(REGION_SHIFT)

/* As if a slab had been there, so that a closer look is taken. */
static void make_region_known(const void *addr)
{
	set_bit(((unsigned long)addr - PAGE_OFFSET) >> REGION_SHIFT,
		slab_regions.known);
}

static void obj_to_slab_not_from_any_cache_null(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	void *small = kmalloc(64, GFP_KERNEL);
	void *mapped = vmalloc(64);

	KUNIT_EXPECT_NOT_NULL(test, page);
	KUNIT_EXPECT_NOT_NULL(test, small);
	KUNIT_EXPECT_NOT_NULL(test, mapped);
	make_region_known(small);
	KUNIT_EXPECT_NULL(test, obj_to_slab(cache, small));
	KUNIT_EXPECT_NULL(test, obj_to_slab(cache, mapped));
	KUNIT_EXPECT_NULL(test, obj_to_slab(cache, (void *)8));
	if (page) {
		/* whoever else uses page->private, and for what */
		make_region_known(page_address(page));
		KUNIT_EXPECT_NULL(test, obj_to_slab(cache, page_address(page)));
		set_page_private(page, -8UL);
		KUNIT_EXPECT_NULL(test, obj_to_slab(cache, page_address(page)));
		set_page_private(page, 1);
		KUNIT_EXPECT_NULL(test, obj_to_slab(cache, page_address(page)));
		set_page_private(page, (unsigned long)small);
		KUNIT_EXPECT_NULL(test, obj_to_slab(cache, page_address(page)));
		set_page_private(page, 0);
		__free_page(page);
	}
	vfree(mapped);
	kfree(small);
	test_cache_end(test, cache, 0);
}

/* In no region that a slab was ever in, whatever virt_addr_valid() would say. */
static void obj_to_slab_nowhere_near_a_slab_null(struct kunit *test)
{
	static int in_module;
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	void *wild[] = {
		NULL, (void *)8, (void *)-8L, (void *)LONG_MAX, &in_module,
		obj_to_slab, (void *)PAGE_OFFSET - 64, high_memory,
		high_memory + SZ_1G,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(wild); i++) {
		KUNIT_EXPECT_FALSE_MSG(test, region_known(wild[i]),
				       "address %u", i);
		KUNIT_EXPECT_EQ(test, obj_nid(wild[i]), NUMA_NO_NODE);
		KUNIT_EXPECT_NULL(test, obj_to_slab(cache, wild[i]));
	}
	test_cache_end(test, cache, 0);
}

/* Also where a block and its descriptor are far apart, or cross a border. */
static void slab_regions_are_known(struct kunit *test)
{
	static const unsigned int sizes[] = { 64, 200, 4096, SZ_4M };
	struct mpslab_cache *cache;
	struct mpslab_slab *slab;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		cache = quiet_cache(test, sizes[i], 0);
		slab = new_slab(test, cache);
		KUNIT_EXPECT_TRUE(test, region_known(slab));
		KUNIT_EXPECT_TRUE(test, region_known(slab_base(slab)));
		KUNIT_EXPECT_TRUE(test, region_known(slab_base(slab) - 1 +
						     slab->objects * cache->size));
		KUNIT_EXPECT_EQ(test, obj_nid(slab_base(slab)), slab_nid(slab));
		release(cache, slab);
		test_cache_end(test, cache, 0);
	}
}

/* Where no slab ever was, lest one of another cache is forgotten; and no further. */
static void slab_regions_go_with_their_memory(struct kunit *test)
{
	void *start = (void *)PAGE_OFFSET;
	unsigned int i;

	for (; start + 4 * REGION_SIZE <= high_memory; start += REGION_SIZE) {
		for (i = 0; i < 4 && !region_known(start + i * REGION_SIZE); i++)
			;
		if (i == 4)
			break;
	}
	if (start + 4 * REGION_SIZE > high_memory)
		kunit_skip(test, "needs 8 MiB without slabs");
	for (i = 0; i < 4; i++)
		make_region_known(start + i * REGION_SIZE);
	slab_regions_forget(start + REGION_SIZE, 2 * REGION_SIZE);
	for (i = 0; i < 4; i++)
		KUNIT_EXPECT_EQ(test, region_known(start + i * REGION_SIZE),
				i == 0 || i == 3);
	slab_regions_forget(start, 4 * REGION_SIZE);
}

/* ------------------------------------------------------------------ nodes -- */

static void node_lists_follow_the_slab(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	unsigned int objects = slab->objects;
	void **objs = test_pointers(test, objects);
	struct cache_node *n;

	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, objects), objects);
	n = join(cache, slab);
	KUNIT_EXPECT_EQ(test, n->nr_full, 1UL);
	expect_lists(test, cache);
	put_all(cache, objs, 1, NULL);
	KUNIT_EXPECT_EQ(test, n->nr_partial, 1UL);
	expect_lists(test, cache);
	put_all(cache, objs + 1, objects - 2, NULL);
	KUNIT_EXPECT_EQ(test, n->nr_partial, 1UL);
	put_all(cache, objs + objects - 1, 1, NULL);
	KUNIT_EXPECT_EQ(test, n->nr_free, 1UL);
	test_cache_end(test, cache, 0);
}

static void put_objects_above_free_limit_detaches(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	unsigned int objects = slab->objects;
	void **objs = test_pointers(test, objects);
	struct cache_node *n;
	LIST_HEAD(empty);

	slab_take(slab, objs, objects);
	n = join(cache, slab);
	n->free_limit = objects - 1;
	put_all(cache, objs, objects - 1, &empty);
	KUNIT_EXPECT_TRUE(test, list_empty(&empty));
	put_all(cache, objs + objects - 1, 1, &empty);
	KUNIT_EXPECT_FALSE(test, list_empty(&empty));
	KUNIT_EXPECT_EQ(test, n->objects, 0UL);
	KUNIT_EXPECT_EQ(test, n->reaped, 1UL);
	slab_list_release(cache, &empty);
	test_cache_end(test, cache, 0);
}

static void put_objects_at_free_limit_keeps(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	unsigned int objects = slab->objects;
	void **objs = test_pointers(test, objects);
	struct cache_node *n;
	LIST_HEAD(empty);

	slab_take(slab, objs, objects);
	n = join(cache, slab);
	n->free_limit = objects;
	put_all(cache, objs, objects, &empty);
	KUNIT_EXPECT_TRUE(test, list_empty(&empty));
	KUNIT_EXPECT_EQ(test, n->nr_free, 1UL);
	test_cache_end(test, cache, 0);
}

static void put_objects_foreign_between_good_reported(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct mpslab_cache *other = quiet_cache(test, 64, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	struct mpslab_slab *theirs = new_slab(test, other);
	struct cache_node *n;
	void *objs[4];

	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, 3), 3U);
	objs[3] = objs[2];
	objs[2] = objs[1];
	objs[1] = slab_base(theirs);
	n = join(cache, slab);
	put_all(cache, objs, ARRAY_SIZE(objs), NULL);
	KUNIT_EXPECT_EQ(test, n->nr_free, 1UL);
	KUNIT_EXPECT_EQ(test, theirs->inuse, 0U);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->refused), 1L);
	KUNIT_EXPECT_EQ(test, (long)cache_errors(cache), 1L);
	atomic_long_set(&cache->refused, 0);	/* it was never counted as ours */
	release(other, theirs);
	test_cache_end(test, cache, 1);
	test_cache_end(test, other, 0);
}

/* One slab's objects in a row are looked up once, but each is looked at. */
static void put_objects_wrong_in_a_run_refused(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 200, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	struct cache_node *n;
	void *objs[8], *last;

	KUNIT_EXPECT_EQ(test, slab_take(slab, objs, 5), 5U);
	last = objs[4];
	objs[7] = objs[3];
	objs[6] = objs[2];
	objs[5] = last + 8;			/* inside */
	objs[4] = objs[0];			/* again */
	objs[3] = slab_base(slab) - 200;	/* before the first */
	objs[2] = slab_base(slab) + slab->objects * 200;
	n = join(cache, slab);
	put_all(cache, objs, ARRAY_SIZE(objs), NULL);
	KUNIT_EXPECT_EQ(test, slab->inuse, 1U);
	KUNIT_EXPECT_EQ(test, atomic_long_read(&cache->refused), 4L);
	expect_lists(test, cache);
	put_all(cache, &last, 1, NULL);
	KUNIT_EXPECT_EQ(test, n->nr_free, 1UL);
	atomic_long_set(&cache->refused, 0);	/* never counted as freed */
	test_cache_end(test, cache, 4);
}

static void node_reap_free_is_bounded(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct cache_node *n = NULL;
	unsigned int i;

	for (i = 0; i < 40; i++)
		n = join(cache, new_slab(test, cache));
	KUNIT_EXPECT_EQ(test, node_reap_free(cache, n, 0), 0UL);
	KUNIT_EXPECT_EQ(test, node_reap_free(cache, n, 3), 3UL);
	KUNIT_EXPECT_EQ(test, n->nr_free, 37UL);
	KUNIT_EXPECT_EQ(test, node_reap_free(cache, n, 20), 20UL);
	expect_lists(test, cache);
	KUNIT_EXPECT_EQ(test, node_reap_free(cache, n, ULONG_MAX), 17UL);
	KUNIT_EXPECT_EQ(test, n->objects, 0UL);
	KUNIT_EXPECT_EQ(test, n->reaped, 40UL);
	test_cache_end(test, cache, 0);
}

static void node_reap_free_spares_partial_and_full(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 1024, 0);
	struct mpslab_slab *full = new_slab(test, cache);
	struct mpslab_slab *partial = new_slab(test, cache);
	unsigned int objects = full->objects;
	void **objs = test_pointers(test, objects + 1);
	struct cache_node *n;

	slab_take(full, objs, objects);
	slab_take(partial, objs + objects, 1);
	join(cache, full);
	n = join(cache, partial);
	KUNIT_EXPECT_EQ(test, node_reap_free(cache, n, ULONG_MAX), 0UL);
	KUNIT_EXPECT_EQ(test, n->nr_full, 1UL);
	KUNIT_EXPECT_EQ(test, n->nr_partial, 1UL);
	put_all(cache, objs, objects + 1, NULL);
	test_cache_end(test, cache, 0);
}

static void node_drain_shared_oldest_first_bounded(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	void **objs = test_pointers(test, 30);
	struct cache_node *n;

	KUNIT_ASSERT_EQ(test, cache_tune(cache, 60, 30, 1), 0);
	KUNIT_ASSERT_GE(test, slab->objects, 30U);
	slab_take(slab, objs, 30);
	n = join(cache, slab);
	KUNIT_ASSERT_EQ(test, ac_push_many(n->shared, objs, 30), 30U);
	KUNIT_EXPECT_EQ(test, drain_shared(cache, 20), 20UL);
	KUNIT_EXPECT_EQ(test, n->shared->avail, 10U);
	KUNIT_EXPECT_PTR_EQ(test, n->shared->entry[0], objs[20]);
	KUNIT_EXPECT_EQ(test, slab->inuse, 10U);
	KUNIT_EXPECT_EQ(test, drain_shared(cache, ULONG_MAX), 10UL);
	KUNIT_EXPECT_EQ(test, drain_shared(cache, ULONG_MAX), 0UL);
	test_cache_end(test, cache, 0);
}

/* ------------------------------------------------------------------ pages -- */

/* What the kernel counts, with what its CPUs have not handed in yet. */
static long counted_pages(enum node_stat_item item)
{
	long pages = global_node_page_state_pages(item);
	int nid, cpu;

	for_each_online_node(nid)
		for_each_online_cpu(cpu)
			pages += per_cpu_ptr(NODE_DATA(nid)->per_cpu_nodestats,
					     cpu)->vm_node_stat_diff[item];
	return pages;
}

static void expect_counted(struct kunit *test, slab_flags_t flags,
			   enum node_stat_item item, enum node_stat_item other)
{
	struct mpslab_cache *cache = quiet_cache(test, 5000, flags);
	long before = counted_pages(item), others = counted_pages(other);
	struct cache_node *n = NULL;
	long pages = 0, now;
	unsigned int slabs;

	for (slabs = 0; pages < PAGES_MANY; slabs++) {
		struct mpslab_slab *slab = new_slab(test, cache);

		pages += 1 << slab_order(slab);
		n = join(cache, slab);
	}
	now = counted_pages(item) - before;
	KUNIT_EXPECT_GE(test, now, pages - PAGES_NOISE);
	KUNIT_EXPECT_LE(test, now, pages + PAGES_NOISE);
	KUNIT_EXPECT_LE(test, counted_pages(other) - others, (long)PAGES_NOISE);

	KUNIT_EXPECT_EQ(test, node_reap_free(cache, n, ULONG_MAX),
			(unsigned long)slabs);
	now = counted_pages(item) - before;
	KUNIT_EXPECT_GE(test, now, -(long)PAGES_NOISE);
	KUNIT_EXPECT_LE(test, now, (long)PAGES_NOISE);
	test_cache_end(test, cache, 0);
}

static void slab_pages_counted_unreclaimable(struct kunit *test)
{
	expect_counted(test, 0, NR_SLAB_UNRECLAIMABLE_B, NR_SLAB_RECLAIMABLE_B);
}

static void slab_pages_counted_reclaimable_if_flagged(struct kunit *test)
{
	expect_counted(test, SLAB_RECLAIM_ACCOUNT, NR_SLAB_RECLAIMABLE_B,
		       NR_SLAB_UNRECLAIMABLE_B);
}

static void slab_create_dma_zone(struct kunit *test)
{
#ifdef CONFIG_ZONE_DMA
	struct mpslab_cache *cache = quiet_cache(test, 64, SLAB_CACHE_DMA);
	struct mpslab_slab *slab = new_slab(test, cache);

	KUNIT_EXPECT_EQ(test, page_zonenum(slab->page), ZONE_DMA);
	release(cache, slab);
	test_cache_end(test, cache, 0);
#else
	kunit_skip(test, "needs CONFIG_ZONE_DMA");
#endif
}

static void slab_create_dma32_zone(struct kunit *test)
{
#ifdef CONFIG_ZONE_DMA32
	struct mpslab_cache *cache = quiet_cache(test, 64, SLAB_CACHE_DMA32);
	struct mpslab_slab *slab = new_slab(test, cache);

	KUNIT_EXPECT_LE(test, page_zonenum(slab->page), ZONE_DMA32);
	release(cache, slab);
	test_cache_end(test, cache, 0);
#else
	kunit_skip(test, "needs CONFIG_ZONE_DMA32");
#endif
}

/* Sizes whose best order is above the least, and is the least. */
#define SIZE_TWO_ORDERS	700
#define SIZE_ONE_ORDER	64

static void slab_create_fragmented_falls_back(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, SIZE_TWO_ORDERS, 0);
	struct mpslab_slab *slab;

	KUNIT_ASSERT_GT(test, cache->best.order, cache->fallback.order);
	arm(test, pages_plan(cache), "nth=1");
	slab = slab_create(cache, GFP_KERNEL, GFP_KERNEL, near_node());
	KUNIT_EXPECT_EQ(test, disarm(pages_plan(cache)), 1UL);
	KUNIT_ASSERT_NOT_NULL(test, slab);
	KUNIT_EXPECT_EQ(test, slab_order(slab), cache->fallback.order);
	KUNIT_EXPECT_EQ(test, slab->objects, cache->fallback.objects);
	KUNIT_EXPECT_TRUE(test,
			  slab_base(slab) + (size_t)slab->objects * cache->size <=
			  page_address(slab->page) + (PAGE_SIZE << slab_order(slab)));
	join(cache, slab);
	join(cache, new_slab(test, cache));
	expect_lists(test, cache);
	test_cache_end(test, cache, 0);
}

static void slab_create_no_page_null(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, SIZE_ONE_ORDER, 0);

	KUNIT_ASSERT_EQ(test, cache->best.order, cache->fallback.order);
	arm(test, pages_plan(cache), "nth=1");
	KUNIT_EXPECT_NULL(test, slab_create(cache, GFP_KERNEL, GFP_KERNEL, near_node()));
	KUNIT_EXPECT_EQ(test, disarm(pages_plan(cache)), 1UL);
	test_cache_end(test, cache, 0);
}

/* Often enough that a leak of the block shows among what others allocate. */
static void slab_create_no_descriptor_returns_pages(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 16 * PAGE_SIZE, 0);
	struct mpslab_slab *slab;
	unsigned int i, failed = 0;
	long before, lost;

	KUNIT_ASSERT_TRUE(test, cache->best.off_slab);
	arm(test, descriptors_plan(cache), "every=1");
	before = free_pages_now();
	for (i = 0; i < 4 * PAGES_MANY / 16; i++) {
		slab = slab_create(cache, GFP_KERNEL, GFP_KERNEL, near_node());
		failed += !slab;
		if (slab)
			release(cache, slab);
	}
	lost = before - free_pages_now();
	KUNIT_EXPECT_EQ(test, failed, i);
	KUNIT_EXPECT_EQ(test, disarm(descriptors_plan(cache)), (unsigned long)i);
	KUNIT_EXPECT_LT(test, lost, (long)PAGES_MANY);
	test_cache_end(test, cache, 0);
}

/* 32 bytes each: 3,125 pages, if they were leaked. */
static void slab_release_frees_the_descriptor(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, PAGE_SIZE, 0);
	unsigned int i;
	long before;

	if (IS_ENABLED(CONFIG_KASAN))
		kunit_skip(test, "freed memory is kept for a while here");
	if (IS_ENABLED(CONFIG_KMSAN))
		kunit_skip(test, "takes minutes here");
	KUNIT_ASSERT_TRUE(test, cache->best.off_slab);
	before = free_pages_now();
	for (i = 0; i < 400000; i++)
		release(cache, new_slab(test, cache));
	KUNIT_EXPECT_LT(test, before - free_pages_now(), (long)PAGES_MANY);
	test_cache_end(test, cache, 0);
}

static void slab_release_rcu_waits_for_readers(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, SLAB_TYPESAFE_BY_RCU);
	struct mpslab_slab *slab = new_slab(test, cache);
	struct page *page = slab->page;
	unsigned long during;

	rcu_read_lock();
	release(cache, slab);
	mdelay(50);
	during = page_private(page);
	rcu_read_unlock();
	KUNIT_EXPECT_EQ(test, during, (unsigned long)slab);
	rcu_barrier();
	KUNIT_EXPECT_NE(test, page_private(page), (unsigned long)slab);
	test_cache_end(test, cache, 0);
}

static void slab_release_without_rcu_is_at_once(struct kunit *test)
{
	struct mpslab_cache *cache = quiet_cache(test, 64, 0);
	struct mpslab_slab *slab = new_slab(test, cache);
	struct page *page = slab->page;

	release(cache, slab);
	KUNIT_EXPECT_NE(test, page_private(page), (unsigned long)slab);
	test_cache_end(test, cache, 0);
}

static struct kunit_case slab_node_cases[] = {
	KUNIT_CASE(slab_take_gives_lowest_first),
	KUNIT_CASE(slab_take_more_than_free_gives_the_rest),
	KUNIT_CASE(slab_take_of_new_is_shuffled),
	KUNIT_CASE(slab_put_twice_refused),
	KUNIT_CASE(slab_put_of_no_object_refused),
	KUNIT_CASE(obj_to_slab_other_cache_null),
	KUNIT_CASE(obj_to_slab_not_from_any_cache_null),
	KUNIT_CASE(obj_to_slab_nowhere_near_a_slab_null),
	KUNIT_CASE(slab_regions_are_known),
	KUNIT_CASE(slab_regions_go_with_their_memory),
	KUNIT_CASE(node_lists_follow_the_slab),
	KUNIT_CASE(put_objects_above_free_limit_detaches),
	KUNIT_CASE(put_objects_at_free_limit_keeps),
	KUNIT_CASE(put_objects_foreign_between_good_reported),
	KUNIT_CASE(put_objects_wrong_in_a_run_refused),
	KUNIT_CASE(node_reap_free_is_bounded),
	KUNIT_CASE(node_reap_free_spares_partial_and_full),
	KUNIT_CASE(node_drain_shared_oldest_first_bounded),
	KUNIT_CASE(slab_pages_counted_unreclaimable),
	KUNIT_CASE(slab_pages_counted_reclaimable_if_flagged),
	KUNIT_CASE(slab_create_dma_zone),
	KUNIT_CASE(slab_create_dma32_zone),
	KUNIT_CASE(slab_create_fragmented_falls_back),
	KUNIT_CASE(slab_create_no_page_null),
	KUNIT_CASE(slab_create_no_descriptor_returns_pages),
	KUNIT_CASE(slab_release_frees_the_descriptor),
	KUNIT_CASE(slab_release_rcu_waits_for_readers),
	KUNIT_CASE(slab_release_without_rcu_is_at_once),
	{}
};

static struct kunit_suite slab_node_suite = {
	.name = "mpslab_slab_node",
	.test_cases = slab_node_cases,
};

kunit_test_suite(slab_node_suite);
