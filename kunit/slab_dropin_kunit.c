// SPDX-License-Identifier: GPL-2.0
/*
 * Objects that are known by their addresses: freed, measured, enlarged, and freed
 * after a grace period.
 */
#include <linux/delay.h>
#include <linux/list_lru.h>
#include <linux/mempool.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "fixtures.h"
#include "../mempool_internal.h"

/* More than one slab's worth, so that objects of all places are tried. */
#define MANY		300
#define LONG_CHAIN	200000

struct rcu_object {
	u64 before;
	struct rcu_head rcu;
	u64 after;
};

static unsigned long in_use(struct mpslab_cache *cache)
{
	struct cache_balance b;

	cache_balance(cache, &b);
	return b.in_use;
}

/* Frees through the arrays of all CPUs; may be asked by a reader under RCU. */
static unsigned long frees(struct mpslab_cache *cache)
{
	unsigned long sum = 0;
	struct cpu_stat st;
	int cpu;

	for_each_possible_cpu(cpu) {
		cache_cpu_stat(cache, cpu, &st);
		sum += st.frees;
	}
	return sum;
}

/* ------------------------------------------------------------------- by address -- */

static void kfree_frees_what_is_ours(struct kunit *test)
{
	static const unsigned int sizes[] = { 1, 80, 1000, 5000, 100001 };
	struct mpslab_cache *cache;
	unsigned int i, k;
	void **objs;

	objs = test_pointers(test, MANY);
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		unsigned int nr = sizes[i] > 4096 ? 4 : MANY;

		cache = test_cache(test, sizes[i], 0);
		take_objects(test, cache, objs, nr);
		KUNIT_EXPECT_EQ(test, in_use(cache), (unsigned long)nr);
		for (k = 0; k < nr; k++)
			mpslab_kfree(objs[k]);
		test_cache_end(test, cache, 0);
	}
}

static void kfree_frees_what_is_the_kernels(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 64, 0);
	void *ours = mpslab_cache_alloc(cache, GFP_KERNEL);
	unsigned long reports = usage_bugs();

	/* Beside a slab of ours, so that what is known of the region says nothing. */
	mpslab_kfree(kmalloc(64, GFP_KERNEL));
	mpslab_kfree(kmalloc(100000, GFP_KERNEL));
	mpslab_kfree(NULL);
	mpslab_kfree(ZERO_SIZE_PTR);
	mpslab_kvfree(vmalloc(PAGE_SIZE));
	mpslab_kvfree(kmalloc(64, GFP_KERNEL));
	mpslab_kvfree(NULL);
	mpslab_kfree_sensitive(kmalloc(64, GFP_KERNEL));
	mpslab_kvfree_sensitive(vmalloc(PAGE_SIZE), PAGE_SIZE);
	mpslab_kfree_const(kstrdup_const("text", GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, usage_bugs(), reports);
	KUNIT_EXPECT_EQ(test, in_use(cache), 1UL);
	mpslab_cache_free(cache, ours);
	test_cache_end(test, cache, 0);
}

static void other_frees_take_ours_too(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 64, 0);
	void *objs[6];

	take_objects(test, cache, objs, ARRAY_SIZE(objs));
	mpslab_kvfree(objs[0]);
	mpslab_kfree_const(objs[1]);
	mpslab_kfree_sensitive(objs[2]);
	mpslab_kvfree_sensitive(objs[3], 64);
	KUNIT_EXPECT_EQ(test, in_use(cache), 2UL);
	mpslab_kfree_bulk(2, objs + 4);
	test_cache_end(test, cache, 0);
}

static void kfree_bulk_takes_both_kinds(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 64, 0);
	void *objs[4];

	take_objects(test, cache, objs, 2);
	objs[2] = objs[1];
	objs[1] = kmalloc(64, GFP_KERNEL);
	objs[3] = kmalloc(640, GFP_KERNEL);
	mpslab_kfree_bulk(ARRAY_SIZE(objs), objs);
	test_cache_end(test, cache, 0);
}

static void kfree_sensitive_overwrites(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 64, SLAB_TYPESAFE_BY_RCU);
	void *obj = mpslab_cache_alloc(cache, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	memset(obj, 'x', 64);
	/* It is in this CPU's array, and nothing writes to it there. */
	mpslab_kfree_sensitive(obj);
	KUNIT_EXPECT_NULL(test, memchr_inv(obj, 0, 64));
	test_cache_end(test, cache, 0);
}

static void kfree_of_a_middle_is_refused(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache_quiet(test);
	void *obj = test_cache_hold_one(test, cache);

	memset(obj, 'x', mpslab_ksize(obj));
	mpslab_kfree_sensitive(obj + 8);
	mpslab_cache_shrink(cache);
	KUNIT_EXPECT_NULL(test, memchr_inv(obj, 'x', mpslab_ksize(obj)));
	KUNIT_EXPECT_EQ(test, in_use(cache), 1UL);
	mpslab_kfree(obj);
	test_cache_end(test, cache, 1);
}

static void ksize_says_the_objects_size(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 100, 0);
	void *obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	void *other = kmalloc(100, GFP_KERNEL);

	KUNIT_EXPECT_EQ(test, mpslab_ksize(obj), (size_t)100);
	KUNIT_EXPECT_EQ(test, mpslab_ksize(other), ksize(other));
	KUNIT_EXPECT_EQ(test, mpslab_ksize(NULL), (size_t)0);
	kfree(other);
	mpslab_kfree(obj);
	test_cache_end(test, cache, 0);
}

static void krealloc_stays_or_moves(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 100, 0);
	char *obj = mpslab_cache_alloc(cache, GFP_KERNEL), *new;

	KUNIT_ASSERT_NOT_NULL(test, obj);
	memset(obj, 'x', 100);
	KUNIT_EXPECT_PTR_EQ(test, mpslab_krealloc(obj, 100, GFP_KERNEL),
			    (void *)obj);
	KUNIT_EXPECT_PTR_EQ(test, mpslab_krealloc(obj, 1, GFP_KERNEL),
			    (void *)obj);
	new = mpslab_krealloc(obj, 200, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, new);
	KUNIT_EXPECT_PTR_NE(test, new, obj);
	KUNIT_EXPECT_NULL(test, memchr_inv(new, 'x', 100));
	KUNIT_EXPECT_EQ(test, in_use(cache), 0UL);
	mpslab_kfree(new);

	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	new = mpslab_krealloc(obj, 0, GFP_KERNEL);
	KUNIT_EXPECT_PTR_EQ(test, (void *)new, ZERO_SIZE_PTR);
	test_cache_end(test, cache, 0);
}

static void owns_what_lies_in_a_slab(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 100, 0);
	char *obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	void *other = kmalloc(100, GFP_KERNEL);
	void *mapped = vmalloc(PAGE_SIZE);

	KUNIT_EXPECT_TRUE(test, mpslab_owns(obj));
	KUNIT_EXPECT_TRUE(test, mpslab_owns(obj + 50));
	KUNIT_EXPECT_FALSE(test, mpslab_owns(other));
	KUNIT_EXPECT_FALSE(test, mpslab_owns(mapped));
	KUNIT_EXPECT_FALSE(test, mpslab_owns(&obj));
	KUNIT_EXPECT_FALSE(test, mpslab_owns(NULL));
	KUNIT_EXPECT_FALSE(test, mpslab_owns(ERR_PTR(-ENOMEM)));
	vfree(mapped);
	kfree(other);
	mpslab_kfree(obj);
	test_cache_end(test, cache, 0);
}

/* It has left its node, and goes after a grace period: nobody finds it meanwhile. */
static void owns_nothing_of_a_slab_that_goes(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 100, SLAB_TYPESAFE_BY_RCU);
	void *obj;

	take_objects(test, cache, &obj, 1);
	KUNIT_EXPECT_TRUE(test, mpslab_owns(obj));
	give_objects(cache, &obj, 1);
	KUNIT_EXPECT_EQ(test, mpslab_cache_shrink(cache), 0);
	KUNIT_EXPECT_FALSE(test, mpslab_owns(obj));
	test_cache_end(test, cache, 0);
}

/* -------------------------------------------------------------------- after RCU -- */

static void kvfree_rcu_waits_for_readers(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct rcu_object *obj;

	cache = test_cache(test, sizeof(*obj), 0);
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	rcu_read_lock();
	mpslab_kvfree_rcu(&obj->rcu, obj);
	mdelay(20);
	KUNIT_EXPECT_EQ(test, frees(cache), 0UL);
	KUNIT_EXPECT_EQ(test, cache->rcu_frees, true);
	rcu_read_unlock();
	kvfree_rcu_wait();
	KUNIT_EXPECT_EQ(test, frees(cache), 1UL);
	KUNIT_EXPECT_EQ(test, in_use(cache), 0UL);
	test_cache_end(test, cache, 0);
}

static void kvfree_rcu_without_a_head(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, 8, 0);
	void *obj = mpslab_cache_alloc(cache, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	mpslab_kvfree_rcu(NULL, obj);
	KUNIT_EXPECT_EQ(test, in_use(cache), 0UL);
	test_cache_end(test, cache, 0);
}

static void kvfree_rcu_of_the_kernels(struct kunit *test)
{
	struct rcu_object *obj = kmalloc(sizeof(*obj), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, obj);
	mpslab_kvfree_rcu(&obj->rcu, obj);
	obj = kmalloc(sizeof(*obj), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	mpslab_kvfree_rcu(NULL, obj);
}

static void chain_many(struct crew_member *me)
{
	struct mpslab_cache *cache = me->data;
	struct rcu_object *obj;

	while (crew_going(me)) {
		obj = mpslab_cache_alloc(cache, GFP_KERNEL);
		crew_expect(me, obj);
		if (!obj)
			return;
		mpslab_kvfree_rcu(&obj->rcu, obj);
		me->ops++;
		if (me->ops % 1000 == 0)
			synchronize_rcu();
	}
}

static void destroy_waits_for_kvfree_rcu(struct kunit *test)
{
	struct mpslab_cache *cache;

	cache = mpslab_cache_create("kunit-rcu", sizeof(struct rcu_object), 0, 0,
				    NULL);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	crew_run_all(test, chain_many, cache, 300);
	mpslab_cache_destroy(cache);
	KUNIT_EXPECT_FALSE(test, cache_is_listed(cache));
}

/* Objects lie further apart in slabs that know of them. */
static void kvfree_rcu_of_debugged_objects(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct rcu_object *objs[20];
	unsigned int i;

	cache = test_cache(test, sizeof(struct rcu_object),
			   SLAB_RED_ZONE | SLAB_CONSISTENCY_CHECKS);
	take_objects(test, cache, (void **)objs, ARRAY_SIZE(objs));
	for (i = 0; i < ARRAY_SIZE(objs); i++)
		mpslab_kvfree_rcu(&objs[i]->rcu, objs[i]);
	kvfree_rcu_wait();
	KUNIT_EXPECT_EQ(test, in_use(cache), 0UL);
	test_cache_end(test, cache, 0);
}

static long double_frees(struct mpslab_cache *cache)
{
	return atomic_long_read(&cache->errors[ERROR_DOUBLE_FREE]);
}

/* All on this CPU: the first begins a grace period, the others wait for the next. */
static void chain_in_order(struct rcu_object **objs, const unsigned int *order,
			   unsigned int nr)
{
	unsigned int i;

	preempt_disable();
	for (i = 0; i < nr; i++)
		mpslab_kvfree_rcu(&objs[order[i]]->rcu, objs[order[i]]);
	preempt_enable();
	kvfree_rcu_wait();
}

/* What came before it, while the same grace period was waited for, can't be found. */
static void kvfree_rcu_twice_in_a_list(struct kunit *test)
{
	static const unsigned int order[] = { 0, 1, 2, 3, 2, 4 };
	struct mpslab_cache *cache;
	struct rcu_object *objs[5];

	kvfree_rcu_wait();
	cache = test_cache(test, sizeof(*objs[0]), SLAB_CONSISTENCY_CHECKS);
	keep_quiet(test, cache);
	take_objects(test, cache, (void **)objs, ARRAY_SIZE(objs));
	chain_in_order(objs, order, ARRAY_SIZE(order));
	KUNIT_EXPECT_EQ(test, frees(cache), 4UL);
	KUNIT_EXPECT_EQ(test, in_use(cache), 1UL);
	KUNIT_EXPECT_EQ(test, double_frees(cache), 1L);
	mpslab_cache_free(cache, objs[1]);
	test_cache_end(test, cache, 1);
}

/* The list that it was in first knows nothing of those in the other. */
static void kvfree_rcu_twice_in_two_lists(struct kunit *test)
{
	static const unsigned int order[] = { 0, 1, 0, 2 };
	struct mpslab_cache *cache;
	struct rcu_object *objs[3];

	kvfree_rcu_wait();
	cache = test_cache(test, sizeof(*objs[0]), SLAB_CONSISTENCY_CHECKS);
	keep_quiet(test, cache);
	take_objects(test, cache, (void **)objs, ARRAY_SIZE(objs));
	chain_in_order(objs, order, ARRAY_SIZE(order));
	KUNIT_EXPECT_EQ(test, frees(cache), 3UL);
	KUNIT_EXPECT_EQ(test, in_use(cache), 0UL);
	KUNIT_EXPECT_EQ(test, double_frees(cache), 1L);
	test_cache_end(test, cache, 1);
}

/* Such as by who was handed it, after somebody freed it, too. */
static void kvfree_rcu_written_to(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct rcu_object *obj;

	cache = test_cache(test, sizeof(*obj), SLAB_CONSISTENCY_CHECKS);
	keep_quiet(test, cache);
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	rcu_read_lock();
	mpslab_kvfree_rcu(&obj->rcu, obj);
	memset(&obj->rcu, 0, sizeof(obj->rcu));
	rcu_read_unlock();
	kvfree_rcu_wait();
	KUNIT_EXPECT_EQ(test, frees(cache), 0UL);
	KUNIT_EXPECT_EQ(test, double_frees(cache), 1L);
	mpslab_cache_free(cache, obj);
	test_cache_end(test, cache, 1);
}

/* It was freed otherwise meanwhile, and its slab is no more. */
static void kvfree_rcu_freed_with_its_slab(struct kunit *test)
{
	unsigned long before = usage_bugs();
	struct mpslab_cache *cache;
	struct rcu_object *objs[3];

	cache = test_cache(test, 40000, 0);
	keep_quiet(test, cache);
	KUNIT_ASSERT_EQ(test, cache_tune(cache, 1, 1, 0), 0);
	home(cache)->free_limit = 0;
	take_objects(test, cache, (void **)objs, ARRAY_SIZE(objs));
	rcu_read_lock();
	mpslab_kvfree_rcu(&objs[0]->rcu, objs[0]);
	give_objects(cache, (void **)objs, ARRAY_SIZE(objs));
	KUNIT_EXPECT_FALSE(test, mpslab_owns(objs[0]));
	rcu_read_unlock();
	kvfree_rcu_wait();
	KUNIT_EXPECT_EQ(test, usage_bugs(), before + 1);
	KUNIT_EXPECT_EQ(test, in_use(cache), 0UL);
	test_cache_end(test, cache, 0);
}

/*
 * Of the objects of two lists the last one leads to @place, which is in their slab but no
 * object's, as if something wrote to it that knows how links are hidden; and there it
 * looks like the end.  Nothing there is freed or written to, nor what the link was to.
 */
static void expect_no_link(struct kunit *test, struct mpslab_cache *cache,
			   struct rcu_object **objs, unsigned long *place)
{
	unsigned long was = *place, cookie;

	kvfree_rcu_wait();
	preempt_disable();
	mpslab_kvfree_rcu(&objs[0]->rcu, objs[0]);
	mpslab_kvfree_rcu(&objs[1]->rcu, objs[1]);
	/* What NULL is hidden as. */
	cookie = (unsigned long)objs[1]->rcu.next;
	mpslab_kvfree_rcu(&objs[2]->rcu, objs[2]);
	objs[2]->rcu.next = (void *)((unsigned long)place ^ cookie);
	*place = cookie;
	preempt_enable();
	kvfree_rcu_wait();
	KUNIT_EXPECT_EQ(test, frees(cache), 1UL);
	KUNIT_EXPECT_EQ(test, in_use(cache), 2UL);
	KUNIT_EXPECT_EQ(test, double_frees(cache), 1L);
	KUNIT_EXPECT_EQ(test, *place, cookie);
	*place = was;
}

/* Objects that are looked at have some bytes before and behind them. */
static void link_beside_objects(struct kunit *test, bool behind)
{
	struct mpslab_cache *cache;
	struct rcu_object *objs[3];
	void *place;

	cache = test_cache(test, sizeof(*objs[0]), SLAB_CONSISTENCY_CHECKS);
	keep_quiet(test, cache);
	take_objects(test, cache, (void **)objs, ARRAY_SIZE(objs));
	if (behind)
		place = objs[1] + 1;
	else
		place = slab_base(obj_to_slab(cache, objs[0])) - sizeof(long);
	expect_no_link(test, cache, objs, place);
	give_objects(cache, (void **)objs + 1, 2);
	test_cache_end(test, cache, 1);
}

static void kvfree_rcu_link_below_the_objects(struct kunit *test)
{
	link_beside_objects(test, false);
}

static void kvfree_rcu_link_behind_an_object(struct kunit *test)
{
	link_beside_objects(test, true);
}

/* How many were given away in a tenth of a second, most of them in one list. */
static unsigned long chain_long(struct mpslab_cache *cache)
{
	ktime_t end = ktime_add_ms(ktime_get(), 100);
	struct rcu_object *obj;
	unsigned long nr = 0;

	rcu_read_lock();
	while (nr < LONG_CHAIN && ktime_before(ktime_get(), end)) {
		obj = mpslab_cache_alloc(cache, GFP_NOWAIT);
		if (!obj)
			break;
		mpslab_kvfree_rcu(&obj->rcu, obj);
		nr++;
	}
	rcu_read_unlock();
	return nr;
}

/*
 * How often a task that is woken on the same CPU finds the list freed in part, of which
 * the first object is the one after @first, and the last @last.
 */
static unsigned int times_in_part(struct mpslab_cache *cache, unsigned long first,
				  unsigned long last)
{
	unsigned long end = jiffies + 20 * HZ, now;
	unsigned int times = 0;

	sched_set_fifo_low(current);
	do {
		usleep_range(50, 100);
		now = frees(cache);
		times += now > first && now < last;
	} while (now < last && time_before(jiffies, end));
	sched_set_normal(current, 0);
	return times;
}

static void kvfree_rcu_lets_others_run(struct kunit *test)
{
	struct mpslab_cache *cache = test_cache(test, sizeof(struct rcu_object), 0);
	unsigned long end = jiffies + 20 * HZ, before, nr = 0;
	unsigned int times;

	pin_to_this_cpu(test);
	/* On a host that is busy the list may be short, or gone when we are woken. */
	do {
		kvfree_rcu_wait();
		before = nr;
		nr += chain_long(cache);
		/* The first is a list of its own. */
		times = times_in_part(cache, before + 1, nr);
	} while (!times && time_before(jiffies, end));
	KUNIT_EXPECT_GT(test, times, 0U);
	kvfree_rcu_wait();
	KUNIT_EXPECT_EQ(test, frees(cache), nr);
	test_cache_end(test, cache, 0);
}

/* --------------------------------------------------------------------- list_lru -- */

struct lru_object {
	u64 data;
	struct list_head lru;
};

static DEFINE_COMPAT_LRU_WALK(isolate)
{
	return LRU_SKIP;
}

static void alloc_lru_is_an_allocation(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct lru_object *obj;
	struct list_lru lru;

	KUNIT_ASSERT_EQ(test, list_lru_init(&lru), 0);
	cache = test_cache(test, sizeof(*obj), SLAB_ACCOUNT);
	obj = mpslab_cache_alloc(cache, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	memset(obj, 'x', sizeof(*obj));
	mpslab_cache_free(cache, obj);
	obj = mpslab_cache_alloc_lru(cache, &lru, GFP_KERNEL | __GFP_ZERO);
	KUNIT_ASSERT_NOT_NULL(test, obj);
	KUNIT_EXPECT_EQ(test, obj->data, 0ULL);
	INIT_LIST_HEAD(&obj->lru);
	KUNIT_EXPECT_TRUE(test, list_lru_add_obj(&lru, &obj->lru));
	KUNIT_EXPECT_EQ(test, list_lru_count(&lru), 1UL);
	list_lru_walk(&lru, isolate, NULL, 1);
	KUNIT_EXPECT_TRUE(test, list_lru_del_obj(&lru, &obj->lru));
	mpslab_cache_free(cache, obj);
	obj = mpslab_cache_alloc_lru(cache, NULL, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, obj);
	mpslab_cache_free(cache, obj);
	test_cache_end(test, cache, 0);
	list_lru_destroy(&lru);
}

/* ------------------------------------------------------------ the usercopy forms -- */

struct kunit_usercopy {
	u64 ours;
	char theirs[24];
};

static void usercopy_forms_create(struct kunit *test)
{
	unsigned long reports = usage_bugs();
	struct mpslab_cache *cache;

	cache = MPSLAB_CACHE_USERCOPY(kunit_usercopy, 0, theirs);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	KUNIT_EXPECT_STREQ(test, cache->name, "kunit_usercopy");
	KUNIT_EXPECT_EQ(test, mpslab_cache_size(cache),
			(unsigned int)sizeof(struct kunit_usercopy));
	mpslab_cache_destroy(cache);
	KUNIT_EXPECT_NULL(test, mpslab_cache_create_usercopy("kunit-bad", 64, 0,
							     0, 60, 5, NULL));
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 1UL);
}

/* ----------------------------------------------------------------------- pools -- */

/* As raid1 does it, with a waiter's list and a lock that know where they were. */
static void pool_moved_works_on(struct kunit *test)
{
	struct mpslab_pool *was, *is;
	void *elems[3];
	int i;

	was = kunit_kzalloc(test, sizeof(*was), GFP_KERNEL);
	is = kunit_kzalloc(test, sizeof(*is), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, was);
	KUNIT_ASSERT_NOT_NULL(test, is);
	KUNIT_ASSERT_EQ(test, mpslab_pool_init_kmalloc_pool(was, 2, 64), 0);
	*is = *was;
	mpslab_pool_moved(is);
	memset(was, 0x5a, sizeof(*was));

	KUNIT_EXPECT_TRUE(test, list_empty(&is->waiters));
	KUNIT_EXPECT_EQ(test, mpslab_pool_set_name(is, "kunit-moved"), 0);
	for (i = 0; i < ARRAY_SIZE(elems); i++) {
		elems[i] = mpslab_pool_alloc(is, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, elems[i]);
	}
	for (i = 0; i < ARRAY_SIZE(elems); i++)
		mpslab_pool_free(elems[i], is);
	KUNIT_EXPECT_EQ(test, mpslab_pool_resize(is, 4), 0);
	mpslab_pool_exit(is);
	KUNIT_EXPECT_NULL(test, memchr_inv(was, 0x5a, sizeof(*was)));
}

static void pool_alloc_noreserve_is_counted(struct kunit *test)
{
	struct mpslab_pool *pool = mpslab_pool_create_kvmalloc_pool(1, 64);
	struct pool_counts counts;
	void *element;

	KUNIT_ASSERT_NOT_NULL(test, pool);
	element = mpslab_pool_alloc_noreserve(pool, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, element);
	KUNIT_EXPECT_TRUE(test, mpslab_pool_is_saturated(pool));
	pool_counts(pool, &counts);
	KUNIT_EXPECT_EQ(test, counts.outstanding, 1LL);
	mpslab_pool_free(element, pool);
	pool_counts(pool, &counts);
	KUNIT_EXPECT_EQ(test, counts.outstanding, 0LL);
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc_noreserve(NULL, GFP_KERNEL));
	mpslab_pool_destroy(pool);
}

/* As far as one of ours has fields that are looked at. */
static const size_t looked_at = offsetofend(struct mpslab_pool, free);

/* Nothing is done with what is no pool, but for a report each time. */
static void expect_refused(struct kunit *test, void *foreign)
{
	unsigned long reports = usage_bugs();
	struct mpslab_pool *pool = foreign;
	void *before, *elems[2] = { &reports, &reports }, *element;

	before = kunit_kzalloc(test, looked_at, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, before);
	memcpy(before, foreign, looked_at);

	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc(pool, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc_noreserve(pool, GFP_KERNEL));
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc_preallocated(pool));
	KUNIT_EXPECT_EQ(test, -EINVAL,
			mpslab_pool_alloc_killable(pool, GFP_KERNEL, &element));
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_alloc_bulk(pool, elems, 2));
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 5UL);
	mpslab_pool_free(&reports, pool);
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 6UL);
	KUNIT_EXPECT_EQ(test, 0U, mpslab_pool_free_bulk(pool, elems, 2));
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_resize(pool, 4));
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_set_name(pool, "kunit-name"));
	KUNIT_EXPECT_EQ(test, -EINVAL, mpslab_pool_set_policy(pool, 0));
	mpslab_pool_moved(pool);
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 11UL);
	mpslab_pool_exit(pool);
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 12UL);
	mpslab_pool_destroy(pool);
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 13UL);
	KUNIT_EXPECT_EQ(test, memcmp(before, foreign, looked_at), 0);
}

static void pool_of_the_kernels_is_refused(struct kunit *test)
{
	mempool_t *pool = mempool_create_kmalloc_pool(2, 64);
	void *element;

	KUNIT_ASSERT_NOT_NULL(test, pool);
	expect_refused(test, pool);
	element = mempool_alloc(pool, GFP_KERNEL);
	KUNIT_EXPECT_NOT_NULL(test, element);
	mempool_free(element, pool);
	mempool_destroy(pool);
}

/*
 * The same as kernels without lock debugging lay it out, 6.1 to 7.3; free, taken,
 * and with others who spin.
 */
static void pool_as_the_kernels_is_refused(struct kunit *test)
{
	static const u32 locks[] = { 0, 1, 0x101, 0xc0001, 0xffffff01, 0xffff0000 };
	struct {
		u32 lock;
		int min_nr;
		int curr_nr;
		void **elements;
		void *pool_data;
		mempool_alloc_t *alloc;
		mempool_free_t *free;
		struct list_head wait;
	} *pool;
	void *elements[2] = { elements, elements };
	unsigned int i;

	pool = kunit_kzalloc(test, max(sizeof(*pool), looked_at), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	pool->min_nr = ARRAY_SIZE(elements);
	pool->curr_nr = ARRAY_SIZE(elements);
	pool->elements = elements;
	pool->pool_data = (void *)64UL;
	pool->alloc = mempool_kmalloc;
	pool->free = mempool_kfree;
	for (i = 0; i < ARRAY_SIZE(locks); i++) {
		pool->lock = locks[i];
		expect_refused(test, pool);
	}
}

static void pool_that_was_is_refused(struct kunit *test)
{
	unsigned long reports = usage_bugs();
	struct mpslab_pool *pool;

	pool = kunit_kzalloc(test, sizeof(*pool), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pool);
	mpslab_pool_exit(pool);
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc(pool, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 1UL);
	KUNIT_ASSERT_EQ(test, mpslab_pool_init_kmalloc_pool(pool, 2, 64), 0);
	mpslab_pool_exit(pool);
	KUNIT_EXPECT_NULL(test, mpslab_pool_alloc(pool, GFP_KERNEL));
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 2UL);
	mpslab_pool_exit(pool);
	KUNIT_EXPECT_EQ(test, usage_bugs() - reports, 2UL);
}

static struct kunit_case slab_dropin_cases[] = {
	KUNIT_CASE(kfree_frees_what_is_ours),
	KUNIT_CASE(kfree_frees_what_is_the_kernels),
	KUNIT_CASE(other_frees_take_ours_too),
	KUNIT_CASE(kfree_bulk_takes_both_kinds),
	KUNIT_CASE(kfree_sensitive_overwrites),
	KUNIT_CASE(kfree_of_a_middle_is_refused),
	KUNIT_CASE(ksize_says_the_objects_size),
	KUNIT_CASE(krealloc_stays_or_moves),
	KUNIT_CASE(owns_what_lies_in_a_slab),
	KUNIT_CASE(owns_nothing_of_a_slab_that_goes),
	KUNIT_CASE(kvfree_rcu_waits_for_readers),
	KUNIT_CASE(kvfree_rcu_without_a_head),
	KUNIT_CASE(kvfree_rcu_of_the_kernels),
	KUNIT_CASE(destroy_waits_for_kvfree_rcu),
	KUNIT_CASE(kvfree_rcu_of_debugged_objects),
	KUNIT_CASE(kvfree_rcu_twice_in_a_list),
	KUNIT_CASE(kvfree_rcu_twice_in_two_lists),
	KUNIT_CASE(kvfree_rcu_written_to),
	KUNIT_CASE(kvfree_rcu_freed_with_its_slab),
	KUNIT_CASE(kvfree_rcu_link_below_the_objects),
	KUNIT_CASE(kvfree_rcu_link_behind_an_object),
	KUNIT_CASE(kvfree_rcu_lets_others_run),
	KUNIT_CASE(alloc_lru_is_an_allocation),
	KUNIT_CASE(usercopy_forms_create),
	KUNIT_CASE(pool_moved_works_on),
	KUNIT_CASE(pool_alloc_noreserve_is_counted),
	KUNIT_CASE(pool_of_the_kernels_is_refused),
	KUNIT_CASE(pool_as_the_kernels_is_refused),
	KUNIT_CASE(pool_that_was_is_refused),
	{}
};

static struct kunit_suite slab_dropin_suite = {
	.name = "mpslab_slab_dropin",
	.test_cases = slab_dropin_cases,
};

kunit_test_suite(slab_dropin_suite);
