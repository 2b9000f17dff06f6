// SPDX-License-Identifier: GPL-2.0
/*
 * The lowest layer: slabs are made of page blocks, and these given back.
 *
 * A slab is created with no lock held and known to nobody; who lists it, and
 * what happens to it meanwhile, is in slab_node.c.
 */
#include <linux/bitmap.h>
#include <linux/export.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/notifier.h>
#include <linux/pfn.h>
#include <linux/vmstat.h>

#include "internal.h"

/* The flags of a caller that the page allocator may see. */
#define PAGE_GFP_MASK	(~(GFP_ZONEMASK | __GFP_ZERO | __GFP_ACCOUNT | \
			   __GFP_RECLAIMABLE | __GFP_WRITE | __GFP_COMP | \
			   GFP_WORK))

/*
 * A block of more than the least order is a wish, not a need: it is not worth
 * reclaim, the system's reserves, nor a report.
 */
static gfp_t wish_gfp(gfp_t gfp)
{
	return (gfp & ~(__GFP_RECLAIM | __GFP_NOFAIL | __GFP_MEMALLOC)) |
	       __GFP_NOMEMALLOC | __GFP_NORETRY | __GFP_NOWARN;
}

static void count_pages(const struct mpslab_cache *cache, struct page *page,
			long bytes)
{
	mod_node_page_state(page_pgdat(page),
			    cache->flags & SLAB_RECLAIM_ACCOUNT ?
			    NR_SLAB_RECLAIMABLE_B : NR_SLAB_UNRECLAIMABLE_B,
			    bytes);
}

static gfp_t block_gfp(const struct mpslab_cache *cache, gfp_t gfp)
{
	return (gfp & PAGE_GFP_MASK) | cache->page_gfp | __GFP_COMP;
}

/* A wish is for memory at hand, but who makes it may still sleep: for a plan. */
static struct page *alloc_pages_of(struct mpslab_cache *cache, gfp_t gfp,
				   gfp_t allowed, int nid, unsigned int order)
{
	if (fault(&cache->faults, FAULT_PAGES, allowed))
		return NULL;
	return alloc_pages_node(nid, gfp, order);
}

static struct page *alloc_block(struct mpslab_cache *cache, gfp_t gfp,
				gfp_t allowed, int nid,
				const struct slab_geometry **geo)
{
	struct page *page = NULL;

	gfp = block_gfp(cache, gfp);
	if (cache->best.order > cache->fallback.order) {
		*geo = &cache->best;
		page = alloc_pages_of(cache, wish_gfp(gfp), allowed, nid,
				      cache->best.order);
	}
	if (!page) {
		*geo = &cache->fallback;
		page = alloc_pages_of(cache, gfp, allowed, nid,
				      cache->fallback.order);
	}
	return page;
}

static unsigned int next_colour(struct cache_node *n,
				const struct slab_geometry *geo)
{
	unsigned long flags;
	unsigned int colour;

	if (geo->colours == 1)
		return 0;
	raw_spin_lock_irqsave(&n->list_lock, flags);
	colour = n->colour_next++ % geo->colours;
	raw_spin_unlock_irqrestore(&n->list_lock, flags);
	return colour;
}

static bool shuffle_objects __read_mostly = true;
module_param_named(shuffle, shuffle_objects, bool, 0644);
MODULE_PARM_DESC(shuffle, "hand out a new slab's objects in random order");

struct slab_regions slab_regions __read_mostly;
EXPORT_SYMBOL_IF_KUNIT(slab_regions);

static unsigned long region_of(const void *addr)
{
	return ((unsigned long)addr - PAGE_OFFSET) >> REGION_SHIFT;
}

/*
 * Before anybody has an object of the slab; whoever is handed one and frees it
 * elsewhere sees the bit as he sees the object.  So he does if the bit was there
 * already, as node_add_slab()'s callers then take and let go of the node's lock
 * (models/litmus/slab-region.litmus).  Bits stay when slabs go: that there was one
 * once is enough for a look.
 */
static void regions_note(const void *start, size_t bytes)
{
	unsigned long region = region_of(start), last = region_of(start + bytes - 1);

	for (; region <= last; region++)
		if (region < slab_regions.nr &&
		    !test_bit(region, slab_regions.known))
			set_bit(region, slab_regions.known);
}

/**
 * slab_regions_forget() - memory goes, and its struct pages may
 * @start: where it starts
 * @bytes: how much, whole regions
 *
 * Context: any; nobody has a slab there, nor will.
 */
void slab_regions_forget(const void *start, size_t bytes)
{
	unsigned long region = region_of(start), last = region_of(start + bytes - 1);

	for (; region <= last && region < slab_regions.nr; region++)
		clear_bit(region, slab_regions.known);
}
EXPORT_SYMBOL_IF_KUNIT(slab_regions_forget);

/* Memory that is offline has no slabs any more, and may be unplugged. */
static int memory_changes(struct notifier_block *nb, unsigned long action,
			  void *data)
{
	struct memory_notify *change = data;

	if (action == MEM_OFFLINE)
		slab_regions_forget(__va(PFN_PHYS(change->start_pfn)),
				    change->nr_pages << PAGE_SHIFT);
	return NOTIFY_OK;
}

static struct notifier_block memory_notifier = {
	.notifier_call = memory_changes,
};

/**
 * slab_regions_init() - make the map for region_known()
 *
 * Memory that is added to the machine later is not in it.
 *
 * Return: 0 or -ENOMEM.
 */
int slab_regions_init(void)
{
	unsigned long bytes = (unsigned long)high_memory - PAGE_OFFSET;
	int err;

	slab_regions.nr = DIV_ROUND_UP(bytes, 1UL << REGION_SHIFT);
	slab_regions.known = setup_alloc(kvcalloc(BITS_TO_LONGS(slab_regions.nr),
						  sizeof(long), GFP_KERNEL));
	if (!slab_regions.known)
		return -ENOMEM;
	err = register_memory_notifier(&memory_notifier);
	if (err)
		kvfree(slab_regions.known);
	return err;
}

/**
 * slab_regions_exit() - free what slab_regions_init() made
 */
void slab_regions_exit(void)
{
	unregister_memory_notifier(&memory_notifier);
	kvfree(slab_regions.known);
}

static struct mpslab_slab *place_descriptor(struct mpslab_cache *cache,
					    struct page *page, gfp_t gfp,
					    gfp_t allowed,
					    const struct slab_geometry *geo)
{
	size_t bytes = geometry_descriptor_bytes(geo->objects);

	if (geo->off_slab) {
		if (fault(&cache->faults, FAULT_DESCRIPTORS, allowed))
			return NULL;
		return kmalloc_node(bytes, gfp & PAGE_GFP_MASK, page_to_nid(page));
	}
	return page_address(page) + (PAGE_SIZE << geo->order) - bytes;
}

static void construct_objects(const struct mpslab_cache *cache,
			      struct mpslab_slab *slab)
{
	unsigned int i;

	if (!cache->ctor)
		return;
	for (i = 0; i < slab->objects; i++)
		cache->ctor(slab_object(slab, i));
}

/* Fill in the descriptor; @where says what kind of slab it is. */
static void slab_init(struct mpslab_cache *cache, struct mpslab_slab *slab,
		      struct page *page, const struct slab_geometry *geo,
		      u32 where)
{
	where += cache->colour_off *
		 next_colour(cache->node[page_to_nid(page)], geo);
	slab->cache = cache;
	slab->page = page;
	slab->where = shuffle_objects ? where | SLAB_YOUNG : where;
	slab->objects = geo->objects;
	slab->inuse = 0;
	bitmap_zero(slab->free, round_up(geo->objects, BITS_PER_LONG));
	bitmap_set(slab->free, 0, geo->objects);
	set_page_private(page, (unsigned long)slab);
	regions_note(page_address(page), PAGE_SIZE << geo->order);
	if (geo->off_slab)
		regions_note(slab, geometry_descriptor_bytes(geo->objects));
	count_pages(cache, page, PAGE_SIZE << geo->order);
}

static struct mpslab_slab *create_plain(struct mpslab_cache *cache, gfp_t gfp,
					gfp_t allowed, int nid, u32 wanted)
{
	const struct slab_geometry *geo;
	struct mpslab_slab *slab;
	struct page *page;

	page = alloc_block(cache, gfp, allowed, nid, &geo);
	if (!page)
		return NULL;
	slab = place_descriptor(cache, page, gfp, allowed, geo);
	if (!slab) {
		__free_pages(page, geo->order);
		return NULL;
	}
	slab_init(cache, slab, page, geo, wanted);
	return slab;
}

/*
 * A slab that knows of its objects what @options say.  More memory than usual is a
 * wish: without it there will be a plain one.
 */
static struct mpslab_slab *create_debugged(struct mpslab_cache *cache,
					   gfp_t gfp, gfp_t allowed, int nid,
					   u32 wanted, u8 options)
{
	const struct slab_geometry *geo = &cache->debug_layout.geo;
	struct mpslab_slab *slab;
	struct page *page;

	page = alloc_pages_of(cache, wish_gfp(block_gfp(cache, gfp)), allowed,
			      nid, geo->order);
	if (!page)
		return NULL;
	slab = fault(&cache->faults, FAULT_DESCRIPTORS, allowed) ? NULL :
	       kmalloc_node(slab_debug_bytes(geo->objects, options),
			    wish_gfp(gfp & PAGE_GFP_MASK), page_to_nid(page));
	if (!slab) {
		__free_pages(page, geo->order);
		return NULL;
	}
	slab_init(cache, slab, page, geo, wanted | SLAB_DEBUGGED |
		  cache->debug_layout.left);
	slab_debug_init(slab, options);
	return slab;
}

/**
 * slab_create() - a new slab, all of its objects free and constructed
 * @cache: the cache
 * @gfp: flags for the memory
 * @allowed: the caller's flags, which may allow more
 * @nid: node to take the pages from; others serve too without __GFP_THISNODE
 *
 * Context: no lock held; sleeps if @gfp allows it and, for a plan that makes it
 * late, if @allowed does.
 * Return: a slab that only the caller knows, or NULL without memory.
 */
struct mpslab_slab *slab_create(struct mpslab_cache *cache, gfp_t gfp,
				gfp_t allowed, int nid)
{
	struct mpslab_slab *slab = NULL;
	u32 wanted = 0;
	u8 options;

	/* Before the options: see cache_debug_settle(). */
	if (unlikely(READ_ONCE(cache->look)) &&
	    atomic_inc_return(&cache->nr_debugged)) {
		options = READ_ONCE(cache->debug);
		wanted = FIELD_PREP(SLAB_WANTED, options);
		if (options)
			slab = create_debugged(cache, gfp, allowed, nid, wanted,
					       options);
		if (!slab)
			atomic_dec(&cache->nr_debugged);
	}
	/* For lack of memory, one that is plain will do as long as they are wanted. */
	if (likely(!slab))
		slab = create_plain(cache, gfp, allowed, nid, wanted);
	if (likely(slab)) {
		construct_objects(cache, slab);
		tools_see_slab(slab);
	}
	return slab;
}
EXPORT_SYMBOL_IF_KUNIT(slab_create);

static void slab_destroy(struct mpslab_slab *slab)
{
	unsigned int order = slab_order(slab);
	bool apart = slab_is_apart(slab);
	struct page *page = slab->page;

	tools_see_slab_go(slab);
	if (unlikely(slab_is_debugged(slab)))
		atomic_dec(&slab->cache->nr_debugged);
	count_pages(slab->cache, page, -(long)(PAGE_SIZE << order));
	set_page_private(page, 0);
	compat_account_reclaimed_pages(1 << order);
	__free_pages(page, order);
	if (apart)
		kfree(slab);
}

/* The cache outlives this: mpslab_cache_destroy() waits for it. */
static void slab_destroy_rcu(struct rcu_head *rcu)
{
	slab_destroy(slab_detached(container_of(rcu, struct page, rcu_head)));
}

/**
 * slab_list_release() - give slabs back to the page allocator
 * @cache: the cache
 * @slabs: slabs that left their node, free objects only
 *
 * Slabs of a SLAB_TYPESAFE_BY_RCU cache go after a grace period.
 *
 * Context: no lock held; on PREEMPT_RT, may_release_slabs().
 */
void slab_list_release(struct mpslab_cache *cache, struct list_head *slabs)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, slabs, lru) {
		list_del(&page->lru);
		if (cache->flags & SLAB_TYPESAFE_BY_RCU)
			call_rcu(&page->rcu_head, slab_destroy_rcu);
		else
			slab_destroy(slab_detached(page));
	}
}
EXPORT_SYMBOL_IF_KUNIT(slab_list_release);
