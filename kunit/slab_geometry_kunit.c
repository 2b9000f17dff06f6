// SPDX-License-Identifier: GPL-2.0
/*
 * How objects lie in slabs: the arithmetic over all sizes, and that the slabs
 * made from it keep what it promises.
 *
 * The checks are stated as properties (everything fits, one more would not),
 * not as a second computation of the same formulas.
 */
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/sizes.h>

#include "fixtures.h"

/* Machines of so many CPUs; SLUB's slabs depend on it. */
static const unsigned int cpu_counts[] = { 1, 2, 4, 64 };

static size_t block_bytes(const struct slab_geometry *geo)
{
	return PAGE_SIZE << geo->order;
}

/* The descriptor, as its comment in internal.h has it. */
static size_t descriptor_bytes(unsigned int objects)
{
	return sizeof(struct mpslab_slab) + BITS_TO_LONGS(objects) * sizeof(long);
}

/* Do @objects fit, with their descriptor if it is on the slab? */
static bool fits(const struct slab_geometry *geo, unsigned int size,
		 unsigned int objects)
{
	size_t needed = (size_t)objects * size;

	if (!geo->off_slab)
		needed += descriptor_bytes(objects);
	return needed <= block_bytes(geo);
}

/* ------------------------------------------------------------ arithmetic -- */

/* What is true of every layout; returns what is not, or NULL. */
static const char *layout_wrong(const struct slab_geometry *geo,
				unsigned int size, unsigned int colour_off)
{
	size_t used = (size_t)geo->objects * size;
	size_t last = (size_t)(geo->colours - 1) * colour_off;

	if (!geo->objects || !geo->colours)
		return "no objects or no colours";
	if (!fits(geo, size, geo->objects))
		return "objects do not fit";
	if (fits(geo, size, geo->objects + 1))
		return "one more object would fit";
	if (!geo->off_slab)
		used += descriptor_bytes(geo->objects);
	if (used + last > block_bytes(geo))
		return "the last colour does not fit";
	if (used + last + colour_off <= block_bytes(geo) &&
	    last + colour_off <= SLAB_OFFSET)
		return "one more colour would fit";
	return NULL;
}

/* The least step of kmalloc() that holds so much. */
static size_t kmalloc_step(size_t bytes)
{
	static const unsigned int steps[] = {
		8, 16, 32, 64, 96, 128, 192, 256, 512, 1024, 2048, 4096, 8192,
	};
	unsigned int i = 0;

	while (steps[i] < bytes)
		i++;
	return steps[i];
}

/* Bytes that the slab takes from anybody. */
static size_t slab_bytes(const struct slab_geometry *geo)
{
	size_t bytes = block_bytes(geo);

	if (geo->off_slab)
		bytes += kmalloc_step(descriptor_bytes(geo->objects));
	return bytes;
}

/* The descriptor lies where it makes an object cheaper. */
static const char *placement_wrong(const struct slab_geometry *geo,
				   unsigned int size)
{
	struct slab_geometry other = *geo;

	other.off_slab = !geo->off_slab;
	other.objects = block_bytes(geo) / size;
	while (other.objects && !fits(&other, size, other.objects))
		other.objects--;
	if ((u64)slab_bytes(&other) * geo->objects <
	    (u64)slab_bytes(geo) * other.objects)
		return "the descriptor's other place is cheaper";
	if (geometry_bytes(geo) != slab_bytes(geo))
		return "its bytes are miscounted";
	return NULL;
}

/*
 * The order that SLUB takes for objects of @size, without its descriptor: naively,
 * from what mm/slub.c says about itself.  It wants 4 * (log2(cpus) + 2) objects in
 * a slab of order 3 or less, and a 16th of it wasted, or an 8th, or a quarter; or
 * as few objects more than none as that takes.
 */
static unsigned int slubs_order(unsigned int size, unsigned int cpus)
{
	unsigned int wanted, parts, order, bytes;

	for (wanted = 4 * (ilog2(cpus) + 2); wanted > 1; wanted--) {
		for (parts = 16; parts >= 4; parts /= 2) {
			for (order = 0; order <= 3; order++) {
				bytes = PAGE_SIZE << order;
				if (bytes / size >= wanted &&
				    bytes % size <= bytes / parts)
					return order;
			}
		}
	}
	return get_order(size);
}

/*
 * Pages held per million objects, all in use or a random 5 % of them, in slabs of
 * @objects that take @bytes; in 1/1000, without floating point.
 */
static u64 held(size_t bytes, unsigned int objects, bool all)
{
	u64 empty = 1ULL << 32;	/* probability that a slab is, in 2^-32 */
	unsigned int i;

	for (i = 0; i < objects && !all; i++)
		empty = empty / 100 * 95;
	if (all)
		empty = 0;
	return div_u64(((1ULL << 32) - empty) * div_u64((u64)bytes * 16, objects),
		       1U << 20);
}

/* Never more than 2 % above SLUB, whatever is in use. */
static const char *memory_wrong(const struct slab_geometry *geo,
				unsigned int size, unsigned int cpus)
{
	unsigned int order = slubs_order(size, cpus);
	size_t bytes = PAGE_SIZE << order;
	unsigned int all;

	for (all = 0; all < 2; all++)
		if (held(slab_bytes(geo), geo->objects, all) * 100 >
		    held(bytes, bytes / size, all) * 102)
			return all ? "takes more than SLUB" :
			       "keeps more than SLUB";
	return NULL;
}

/* Which would be a slab for nearly every object. */
static const char *choice_wrong(const struct mpslab_cache *cache)
{
	const struct slab_geometry *best = &cache->best;

	if (best->order > max_t(unsigned int, DENSE_ORDER_MAX,
				cache->fallback.order))
		return "order out of bounds";
	if (best->objects < 4 && best->order < 2)
		return "too few objects";
	return NULL;
}

static const char *fallback_wrong(const struct mpslab_cache *cache)
{
	unsigned int order = cache->fallback.order;

	if (order && max(cache->size, cache->align) <= PAGE_SIZE << (order - 1))
		return "fallback is not the least order";
	return NULL;
}

/* Choose for objects of @size; false if something is wrong, and reported. */
static bool sweep_one(struct kunit *test, struct mpslab_cache *cache,
		      unsigned int size, unsigned int align,
		      slab_flags_t flags, unsigned int cpus)
{
	const char *wrong;
	int err;

	cache->object_size = size;
	cache->align = geometry_align(size, align, flags);
	cache->size = ALIGN(size, cache->align);
	err = geometry_choose(cache, cpus);
	KUNIT_EXPECT_EQ_MSG(test, err, 0, "size %u, align %u", size, align);
	if (err)
		return false;

	wrong = layout_wrong(&cache->best, cache->size, cache->colour_off);
	wrong = wrong ?: layout_wrong(&cache->fallback, cache->size,
				      cache->colour_off);
	wrong = wrong ?: placement_wrong(&cache->best, cache->size);
	wrong = wrong ?: placement_wrong(&cache->fallback, cache->size);
	wrong = wrong ?: choice_wrong(cache);
	if (cache->align <= PAGE_SIZE)	/* else SLUB aligns otherwise */
		wrong = wrong ?: memory_wrong(&cache->best, cache->size, cpus);
	wrong = wrong ?: fallback_wrong(cache);
	if (!wrong && !IS_ALIGNED(cache->colour_off, cache->align))
		wrong = "a colour breaks the alignment";
	KUNIT_EXPECT_PTR_EQ_MSG(test, (void *)wrong, NULL,
				"size %u, align %u, %u CPUs: %s (order %u, %u objects)",
				size, align, cpus, wrong, cache->best.order,
				cache->best.objects);
	return !wrong;
}

static struct mpslab_cache *blank_cache(struct kunit *test)
{
	struct mpslab_cache *cache;

	cache = kunit_kzalloc(test, sizeof(*cache), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, cache);
	return cache;
}

static void sweep_small(struct kunit *test, unsigned int align,
			slab_flags_t flags)
{
	struct mpslab_cache *cache = blank_cache(test);
	unsigned int size, i;

	for (i = 0; i < ARRAY_SIZE(cpu_counts); i++)
		for (size = 1; size <= 8192; size++)
			if (!sweep_one(test, cache, size, align, flags,
				       cpu_counts[i]))
				return;
}

static void geometry_sizes_to_8192_fit(struct kunit *test)
{
	sweep_small(test, 0, 0);
}

static void geometry_sizes_to_8192_cacheline_fit(struct kunit *test)
{
	sweep_small(test, 0, SLAB_HWCACHE_ALIGN);
}

static void geometry_sizes_to_8192_align_256_fit(struct kunit *test)
{
	sweep_small(test, 256, 0);
}

/* Around every power of two, where orders change. */
static void geometry_large_sizes_fit(struct kunit *test)
{
	struct mpslab_cache *cache = blank_cache(test);
	unsigned int size;
	int off;

	for (size = 8192; size < KMALLOC_MAX_SIZE; size *= 2)
		for (off = -17; off <= 17; off++)
			if (!sweep_one(test, cache, size + off, 0, 0, 4))
				return;
	sweep_one(test, cache, KMALLOC_MAX_SIZE, 0, 0, 4);
	sweep_one(test, cache, KMALLOC_MAX_SIZE - 1, 0, 0, 4);
}

static void geometry_large_align_takes_order(struct kunit *test)
{
	struct mpslab_cache *cache = blank_cache(test);

	sweep_one(test, cache, 16, 4 * PAGE_SIZE, 0, 4);
	KUNIT_EXPECT_EQ(test, cache->fallback.order, 2);
}

static void geometry_beyond_any_block_refused(struct kunit *test)
{
	struct mpslab_cache *cache = blank_cache(test);

	cache->align = sizeof(void *);
	cache->size = KMALLOC_MAX_SIZE + sizeof(void *);
	KUNIT_EXPECT_EQ(test, geometry_choose(cache, 4), -E2BIG);
}

static void geometry_fit_larger_than_block_fails(struct kunit *test)
{
	struct slab_geometry geo;

	KUNIT_EXPECT_FALSE(test, geometry_fit(&geo, 0, PAGE_SIZE + 8, 8));
	KUNIT_EXPECT_TRUE(test, geometry_fit(&geo, 0, PAGE_SIZE, 8));
	KUNIT_EXPECT_EQ(test, geo.objects, 1U);
	KUNIT_EXPECT_TRUE(test, geo.off_slab);
}

static void geometry_descriptor_has_a_bit_for_each(struct kunit *test)
{
	unsigned int objects;

	for (objects = 1; objects <= 4096; objects++)
		KUNIT_ASSERT_GE(test, geometry_descriptor_bytes(objects),
				sizeof(struct mpslab_slab) + objects / 8);
	KUNIT_EXPECT_EQ(test, geometry_descriptor_bytes(1),
			geometry_descriptor_bytes(BITS_PER_LONG));
	KUNIT_EXPECT_LT(test, geometry_descriptor_bytes(BITS_PER_LONG),
			geometry_descriptor_bytes(BITS_PER_LONG + 1));
}

/* -------------------------------------------------------------- alignment -- */

static void geometry_align_is_power_of_two_and_enough(struct kunit *test)
{
	unsigned int size, align, result;

	for (size = 1; size <= 600; size++) {
		for (align = 1; align <= 512; align *= 2) {
			result = geometry_align(size, align, 0);
			KUNIT_ASSERT_TRUE(test, is_power_of_2(result));
			KUNIT_ASSERT_GE(test, result, align);
			KUNIT_ASSERT_GE(test, result, (unsigned int)sizeof(void *));
			KUNIT_ASSERT_GE(test, result, arch_slab_minalign());
		}
	}
}

static void geometry_align_none_is_pointer(struct kunit *test)
{
	unsigned int least = max_t(unsigned int, sizeof(void *),
				   arch_slab_minalign());

	KUNIT_EXPECT_EQ(test, geometry_align(100, 0, 0), least);
	KUNIT_EXPECT_EQ(test, geometry_align(1, 1, 0), least);
}

static void geometry_align_cacheline_halves_for_small(struct kunit *test)
{
	unsigned int line = cache_line_size();
	slab_flags_t flags = SLAB_HWCACHE_ALIGN;

	KUNIT_EXPECT_EQ(test, geometry_align(10 * line, 0, flags), line);
	KUNIT_EXPECT_EQ(test, geometry_align(line, 0, flags), line);
	KUNIT_EXPECT_EQ(test, geometry_align(line / 2 + 1, 0, flags), line);
	KUNIT_EXPECT_EQ(test, geometry_align(line / 2, 0, flags), line / 2);
	KUNIT_EXPECT_EQ(test, geometry_align(line / 4 + 1, 0, flags), line / 2);
	KUNIT_EXPECT_EQ(test, geometry_align(line / 2, 4 * line, flags),
			4 * line);
}

/* ----------------------------------------------------------- array sizes -- */

static void geometry_arrays_shrink_with_size(struct kunit *test)
{
	unsigned int size, limit, batchcount, shared, last = UINT_MAX;

	for (size = 8; size <= KMALLOC_MAX_SIZE; size += size / 8 + 8) {
		geometry_array_sizes(size, size % 70, &limit, &batchcount,
				     &shared);
		KUNIT_EXPECT_LE(test, limit, last);
		KUNIT_EXPECT_GE(test, limit, 1U);
		KUNIT_EXPECT_LE(test, limit, (unsigned int)CPU_LIMIT_MAX);
		KUNIT_EXPECT_GE(test, batchcount, 1U);
		KUNIT_EXPECT_LE(test, batchcount, limit);
		KUNIT_EXPECT_LE(test, shared, (unsigned int)SHARED_FACTOR_MAX);
		if (size > PAGE_SIZE)
			KUNIT_EXPECT_EQ(test, shared, 0U);
		else
			KUNIT_EXPECT_GE(test, shared, 4U);
		last = limit;
	}
}

/* A burst's worth of small objects, a bounded part of memory of large ones. */
static void geometry_keep_is_bounded(struct kunit *test)
{
	unsigned int size;

	for (size = 8; size <= KMALLOC_MAX_SIZE; size += size / 8 + 8) {
		unsigned int keep = geometry_keep(size, 3);

		KUNIT_EXPECT_GE(test, keep, 3U);
		KUNIT_EXPECT_LE(test, keep, 1024U);
		if (keep > 3)
			KUNIT_EXPECT_LE(test, keep * size, (unsigned int)SZ_1M);
	}
	KUNIT_EXPECT_EQ(test, geometry_keep(256, 16), 1024U);
	KUNIT_EXPECT_EQ(test, geometry_keep(8, 2000), 2000U);
}

/* ------------------------------------------------------------- real slabs -- */

/* Sizes with the descriptor on the slab and off it, small and large blocks. */
static const unsigned int real_sizes[] = {
	1, 8, 24, 80, 200, 256, 700, 1024, 2048, 3000, 4096, 5000, 20000, 65536,
};

static void check_slab_objects(struct kunit *test, struct mpslab_cache *cache,
			       struct mpslab_slab *slab)
{
	void *start = page_address(slab->page);
	void *end = start + (PAGE_SIZE << slab_order(slab));
	unsigned int i, got;
	void **objs;

	objs = kunit_kcalloc(test, slab->objects + 1, sizeof(*objs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, objs);
	KUNIT_EXPECT_EQ(test, slab_is_apart(slab),
			(void *)slab < start || (void *)slab >= end);
	if (!slab_is_apart(slab)) {
		KUNIT_EXPECT_TRUE(test, (void *)slab +
				  descriptor_bytes(slab->objects) <= end);
		end = slab;
	}
	got = slab_take(slab, objs, slab->objects + 1);
	KUNIT_EXPECT_EQ(test, got, slab->objects);
	for (i = 0; i < got; i++) {
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)objs[i],
						   cache->align));
		KUNIT_EXPECT_TRUE(test, objs[i] >= start &&
				  objs[i] + cache->object_size <= end);
		if (i)
			KUNIT_EXPECT_TRUE(test, objs[i] >= objs[i - 1] +
					  cache->object_size);
		KUNIT_EXPECT_PTR_EQ(test, obj_to_slab(cache, objs[i]), slab);
	}
	for (i = 0; i < got; i++)
		KUNIT_EXPECT_TRUE(test, slab_put(slab, objs[i]));
	kunit_kfree(test, objs);
}

static struct mpslab_slab *real_slab(struct kunit *test,
				     struct mpslab_cache *cache)
{
	struct mpslab_slab *slab = slab_create(cache, GFP_KERNEL,
					       GFP_KERNEL, near_node());

	KUNIT_ASSERT_NOT_NULL(test, slab);
	slab->where &= ~SLAB_YOUNG;	/* in order */
	return slab;
}

static void release_slab(struct mpslab_cache *cache, struct mpslab_slab *slab)
{
	LIST_HEAD(slabs);

	list_add(&slab->page->lru, &slabs);
	slab_list_release(cache, &slabs);
}

static void slab_objects_lie_in_their_block(struct kunit *test)
{
	struct mpslab_cache *cache;
	struct mpslab_slab *slab;
	unsigned int i, off_slab = 0, on_slab = 0;

	for (i = 0; i < ARRAY_SIZE(real_sizes); i++) {
		cache = test_cache(test, real_sizes[i], 0);
		slab = real_slab(test, cache);
		check_slab_objects(test, cache, slab);
		off_slab += slab_is_apart(slab);
		on_slab += !slab_is_apart(slab);
		release_slab(cache, slab);
		test_cache_end(test, cache, 0);
	}
	KUNIT_EXPECT_GT(test, off_slab, 0U);
	KUNIT_EXPECT_GT(test, on_slab, 0U);
}

static unsigned long slab_offset(struct mpslab_slab *slab)
{
	return slab_base(slab) - page_address(slab->page);
}

/* As many different offsets as there are colours, and then from the start. */
static void check_colours(struct kunit *test, struct mpslab_cache *cache)
{
	unsigned int i, colours = cache->best.colours;
	struct mpslab_slab **slabs;

	slabs = kunit_kcalloc(test, 2 * colours, sizeof(*slabs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, slabs);
	for (i = 0; i < 2 * colours; i++)
		slabs[i] = real_slab(test, cache);
	for (i = 0; i < 2 * colours; i++) {
		KUNIT_EXPECT_EQ(test, slab_order(slabs[i]), cache->best.order);
		KUNIT_EXPECT_EQ(test, slab_offset(slabs[i]),
				(unsigned long)(i % colours) *
				cache->colour_off);
		check_slab_objects(test, cache, slabs[i]);
	}
	for (i = 0; i < 2 * colours; i++)
		release_slab(cache, slabs[i]);
	kunit_kfree(test, slabs);
}

static void slab_colours_cycle(struct kunit *test)
{
	unsigned int i, coloured = 0;
	struct mpslab_cache *cache;

	pin_to_this_cpu(test);	/* as each node has a next colour of its own */
	for (i = 0; i < ARRAY_SIZE(real_sizes); i++) {
		cache = test_cache(test, real_sizes[i], 0);
		coloured += cache->best.colours > 1;
		if (cache->best.colours < 64)
			check_colours(test, cache);
		test_cache_end(test, cache, 0);
	}
	KUNIT_EXPECT_GT(test, coloured, 0U);
}

static void slab_objects_aligned_as_asked(struct kunit *test)
{
	struct mpslab_cache *cache;
	unsigned int align;
	void *obj;

	for (align = 8; align <= 8192; align *= 2) {
		cache = mpslab_cache_create("kunit-align", 40, align, 0, NULL);
		KUNIT_ASSERT_NOT_NULL(test, cache);
		obj = mpslab_cache_alloc(cache, GFP_KERNEL);
		KUNIT_EXPECT_NOT_NULL(test, obj);
		KUNIT_EXPECT_TRUE(test, IS_ALIGNED((unsigned long)obj, align));
		mpslab_cache_free(cache, obj);
		mpslab_cache_destroy(cache);
	}
}

static struct kunit_case slab_geometry_cases[] = {
	KUNIT_CASE(geometry_align_is_power_of_two_and_enough),
	KUNIT_CASE(geometry_align_none_is_pointer),
	KUNIT_CASE(geometry_align_cacheline_halves_for_small),
	KUNIT_CASE(geometry_descriptor_has_a_bit_for_each),
	KUNIT_CASE(geometry_fit_larger_than_block_fails),
	KUNIT_CASE(geometry_sizes_to_8192_fit),
	KUNIT_CASE(geometry_sizes_to_8192_cacheline_fit),
	KUNIT_CASE(geometry_sizes_to_8192_align_256_fit),
	KUNIT_CASE(geometry_large_sizes_fit),
	KUNIT_CASE(geometry_large_align_takes_order),
	KUNIT_CASE(geometry_beyond_any_block_refused),
	KUNIT_CASE(geometry_arrays_shrink_with_size),
	KUNIT_CASE(geometry_keep_is_bounded),
	KUNIT_CASE(slab_objects_lie_in_their_block),
	KUNIT_CASE(slab_colours_cycle),
	KUNIT_CASE(slab_objects_aligned_as_asked),
	{}
};

static struct kunit_suite slab_geometry_suite = {
	.name = "mpslab_slab_geometry",
	.test_cases = slab_geometry_cases,
};

kunit_test_suite(slab_geometry_suite);
