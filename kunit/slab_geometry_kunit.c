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

#include "fixtures.h"

/* Fewer objects per slab than this are not dense, see slab_geometry.c. */
#define ENOUGH_OBJECTS	8

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
	if (used + last + colour_off <= block_bytes(geo))
		return "one more colour would fit";
	return NULL;
}

/* The descriptor is on the slab unless it displaces more than its own size. */
static const char *placement_wrong(const struct slab_geometry *geo,
				   unsigned int size)
{
	struct slab_geometry other = *geo;
	size_t displaced;

	other.off_slab = !geo->off_slab;
	other.objects = block_bytes(geo) / size;
	while (other.objects && !fits(&other, size, other.objects))
		other.objects--;
	if (geo->off_slab) {
		displaced = (size_t)(geo->objects - other.objects) * size;
		if (other.objects && displaced <= descriptor_bytes(geo->objects))
			return "descriptor apart without need";
	} else {
		displaced = (size_t)(other.objects - geo->objects) * size;
		if (displaced > descriptor_bytes(other.objects))
			return "descriptor displaces more than its size";
	}
	return NULL;
}

/* The part of the block that may be wasted: one in 16, 8, 4, or any (1). */
static unsigned int waste_class(const struct slab_geometry *geo,
				unsigned int size)
{
	size_t waste = block_bytes(geo) - (size_t)geo->objects * size;
	unsigned int parts;

	for (parts = 16; parts >= 4; parts /= 2)
		if (waste * parts <= block_bytes(geo))
			return parts;
	return 1;
}

/* No order in bounds is better: less waste, or as little in a smaller block. */
static const char *choice_wrong(const struct mpslab_cache *cache)
{
	unsigned int class = waste_class(&cache->best, cache->size);
	struct slab_geometry geo;
	unsigned int order, other;

	if (cache->best.order > max_t(unsigned int, DENSE_ORDER_MAX,
				      cache->fallback.order))
		return "order out of bounds";
	for (order = cache->fallback.order; order <= DENSE_ORDER_MAX; order++) {
		geometry_fit(&geo, order, cache->size, cache->align);
		if (geo.objects < ENOUGH_OBJECTS)
			continue;
		other = waste_class(&geo, cache->size);
		if (other > class)
			return "another order wastes less";
		if (other == class && order < cache->best.order)
			return "a smaller order wastes as little";
	}
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
		      unsigned int size, unsigned int align, slab_flags_t flags)
{
	const char *wrong;
	int err;

	cache->object_size = size;
	cache->align = geometry_align(size, align, flags);
	cache->size = ALIGN(size, cache->align);
	err = geometry_choose(cache);
	KUNIT_EXPECT_EQ_MSG(test, err, 0, "size %u, align %u", size, align);
	if (err)
		return false;

	wrong = layout_wrong(&cache->best, cache->size, cache->colour_off);
	wrong = wrong ?: layout_wrong(&cache->fallback, cache->size,
				      cache->colour_off);
	wrong = wrong ?: placement_wrong(&cache->best, cache->size);
	wrong = wrong ?: placement_wrong(&cache->fallback, cache->size);
	wrong = wrong ?: choice_wrong(cache);
	wrong = wrong ?: fallback_wrong(cache);
	if (!wrong && !IS_ALIGNED(cache->colour_off, cache->align))
		wrong = "a colour breaks the alignment";
	KUNIT_EXPECT_PTR_EQ_MSG(test, (void *)wrong, NULL,
				"size %u, align %u: %s (order %u, %u objects)",
				size, align, wrong, cache->best.order,
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
	unsigned int size;

	for (size = 1; size <= 8192; size++)
		if (!sweep_one(test, cache, size, align, flags))
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
			if (!sweep_one(test, cache, size + off, 0, 0))
				return;
	sweep_one(test, cache, KMALLOC_MAX_SIZE, 0, 0);
	sweep_one(test, cache, KMALLOC_MAX_SIZE - 1, 0, 0);
}

static void geometry_large_align_takes_order(struct kunit *test)
{
	struct mpslab_cache *cache = blank_cache(test);

	sweep_one(test, cache, 16, 4 * PAGE_SIZE, 0);
	KUNIT_EXPECT_EQ(test, cache->fallback.order, 2);
}

static void geometry_beyond_any_block_refused(struct kunit *test)
{
	struct mpslab_cache *cache = blank_cache(test);

	cache->align = sizeof(void *);
	cache->size = KMALLOC_MAX_SIZE + sizeof(void *);
	KUNIT_EXPECT_EQ(test, geometry_choose(cache), -E2BIG);
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
		geometry_array_sizes(size, &limit, &batchcount, &shared);
		KUNIT_EXPECT_LE(test, limit, last);
		KUNIT_EXPECT_GE(test, limit, 1U);
		KUNIT_EXPECT_LE(test, limit, (unsigned int)CPU_LIMIT_MAX);
		KUNIT_EXPECT_GE(test, batchcount, 1U);
		KUNIT_EXPECT_LE(test, batchcount, limit);
		KUNIT_EXPECT_LE(test, shared, (unsigned int)SHARED_FACTOR_MAX);
		if (size > PAGE_SIZE || num_possible_cpus() == 1)
			KUNIT_EXPECT_EQ(test, shared, 0U);
		last = limit;
	}
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
	void *end = start + (PAGE_SIZE << slab->order);
	unsigned int i, got;
	void **objs;

	objs = kunit_kcalloc(test, slab->objects + 1, sizeof(*objs), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, objs);
	KUNIT_EXPECT_EQ(test, slab->off_slab,
			(void *)slab < start || (void *)slab >= end);
	if (!slab->off_slab) {
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
					       numa_mem_id());

	KUNIT_ASSERT_NOT_NULL(test, slab);
	return slab;
}

static void release_slab(struct mpslab_cache *cache, struct mpslab_slab *slab)
{
	LIST_HEAD(slabs);

	list_add(&slab->list, &slabs);
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
		off_slab += slab->off_slab;
		on_slab += !slab->off_slab;
		release_slab(cache, slab);
		test_cache_end(test, cache, 0);
	}
	KUNIT_EXPECT_GT(test, off_slab, 0U);
	KUNIT_EXPECT_GT(test, on_slab, 0U);
}

static unsigned long slab_offset(struct mpslab_slab *slab)
{
	return slab->base - page_address(slab->page);
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
		KUNIT_EXPECT_EQ(test, slabs[i]->order, cache->best.order);
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
