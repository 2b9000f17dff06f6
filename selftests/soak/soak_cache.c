// SPDX-License-Identifier: GPL-2.0
/*
 * The soak's caches, and the stamps on objects.
 *
 * Who has an object has written a stamp, which no other has, all over it.  It is
 * looked at again before the object is freed, and now and then in between.  So an
 * object that is handed out twice, one that overlaps another, and one that the
 * allocator or anybody writes to, all show.
 */
#include <linux/delay.h>
#include <linux/kernel.h>
#include <linux/list_lru.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/topology.h>

#include "soak.h"

#define BORN		0xb0a4b0a4U	/* what a constructor writes */
#define BORN_WORDS	2U

struct soak_cache soak_caches[SOAK_CACHES];

/* Nothing is on it: what matters is who asks for it. */
static struct list_lru soak_lru;

/* ------------------------------------------------------------------ places -- */

/* Count oneself in; false if the place is not open. */
bool place_enter(struct place *p)
{
	atomic_inc_return(&p->users);	/* full ordering: see struct place */
	if (atomic_read(&p->state) == PLACE_OPEN)
		return true;
	place_leave(p);
	return false;
}

/* What the place holds was let go of before. */
void place_leave(struct place *p)
{
	atomic_dec_return(&p->users);
}

bool place_is_closed(struct place *p)
{
	return atomic_read(&p->state) == PLACE_CLOSED;
}

/* ------------------------------------------------------------------ stamps -- */

static u32 stamp_word(u32 stamp, unsigned int i)
{
	return stamp ^ i * 0x9e3779b1U;
}

/* Word 0 is the stamp itself; whose it is, a report can read off it. */
void stamp_write(void *obj, unsigned int size, u32 stamp)
{
	unsigned int i, words = size / sizeof(u32);
	u32 *word = obj;

	for (i = 0; i < words; i++)
		word[i] = stamp_word(stamp, i);
	memset(word + words, (u8)stamp, size % sizeof(u32));
}

bool stamp_check(struct worker *w, const char *whose, const void *obj,
		 unsigned int size, u32 stamp)
{
	unsigned int i, words = size / sizeof(u32);
	const u32 *word = obj;

	soak_count(C_CHECK, 1);
	for (i = 0; i < words; i++) {
		if (likely(word[i] == stamp_word(stamp, i)))
			continue;
		soak_fail(w, "%s: object of stamp %08x has %08x at %zu (%08x if it is a stamp's)",
			  whose, stamp, word[i], i * sizeof(u32),
			  stamp_word(word[i], i));
		return false;
	}
	if (!memchr_inv(word + words, (u8)stamp, size % sizeof(u32)))
		return true;
	soak_fail(w, "%s: object of stamp %08x ends in other bytes", whose, stamp);
	return false;
}

bool held_check(struct worker *w, const struct held *h)
{
	return stamp_check(w, h->from->name, h->obj, h->from->size, h->stamp);
}

/* The size is not known to it, but each object is as large as this. */
static void construct(void *obj)
{
	u32 *word = obj;

	word[0] = stamp_word(BORN, 0);
	word[1] = stamp_word(BORN, 1);
}

/* ------------------------------------------------------- objects: allocating -- */

/* What is promised of an object that has just been handed out. */
static void check_new(struct worker *w, struct soak_cache *c, const void *obj,
		      bool zeroed)
{
	const u32 *word = obj;
	const u8 *odd;

	if (!IS_ALIGNED((unsigned long)obj, max_t(size_t, c->align, sizeof(void *))))
		soak_fail(w, "%s: object is not aligned to %u", c->name,
			  c->align);
	if (c->constructed && (word[0] != stamp_word(BORN, 0) ||
			       word[1] != stamp_word(BORN, 1)))
		soak_fail(w, "%s: object is not constructed: %08x %08x",
			  c->name, word[0], word[1]);
	odd = zeroed ? memchr_inv(obj, 0, c->size) : NULL;
	if (odd)
		soak_fail(w, "%s: zeroed object has %02x at %td", c->name, *odd,
			  odd - (const u8 *)obj);
}

static void hold(struct worker *w, struct soak_cache *c, void *obj, bool zeroed,
		 struct held *h)
{
	check_new(w, c, obj, zeroed);
	*h = (struct held){ .from = c, .obj = obj, .stamp = worker_stamp(w) };
	stamp_write(obj, c->size, h->stamp);
}

/* On a node that must be the right one, or may be any. */
static void *get_on_node(struct worker *w, struct soak_cache *c, u32 how,
			 gfp_t gfp)
{
	int nid = below(again(how, 1), nr_node_ids);
	void *obj;

	if (!node_possible(nid))
		nid = NUMA_NO_NODE;
	if (how & 0x100 && nid != NUMA_NO_NODE)
		gfp |= __GFP_THISNODE;
	obj = mpslab_cache_alloc_node(c->cache, gfp, nid);
	if (obj && (gfp & __GFP_THISNODE) &&
	    page_to_nid(virt_to_page(obj)) != nid)
		soak_fail(w, "%s: object is of node %d, not %d", c->name,
			  page_to_nid(virt_to_page(obj)), nid);
	return obj;
}

/*
 * An object of @c into @h, which has none.  Any context; @how picks one of the
 * functions that allocate.
 */
bool cache_get(struct worker *w, struct soak_cache *c, u32 how, gfp_t gfp,
	       struct held *h)
{
	bool zeroed = false;
	void *obj;

	if (!place_enter(&c->place))
		return false;
	gfp |= __GFP_NOWARN;
	if (how % 4 == 0) {
		obj = get_on_node(w, c, how, gfp);
	} else if (how % 4 == 1 && !c->constructed) {
		zeroed = true;
		obj = mpslab_cache_zalloc(c->cache, gfp);
	} else if (how % 4 == 2 && gfpflags_allow_blocking(gfp)) {
		soak_count(C_ALLOC_LRU, 1);
		obj = mpslab_cache_alloc_lru(c->cache, &soak_lru, gfp);
	} else {
		obj = mpslab_cache_alloc(c->cache, gfp);
	}
	if (!obj) {
		soak_count(C_ALLOC_FAILED, 1);
		place_leave(&c->place);
		return false;
	}
	soak_count(C_ALLOC, 1);
	hold(w, c, obj, zeroed, h);
	return true;
}

/* Into all of @nr places, which hold nothing; returns how many, @nr or 0. */
unsigned int cache_get_bulk(struct worker *w, struct soak_cache *c, gfp_t gfp,
			    struct held *h, unsigned int nr)
{
	unsigned int i;
	int got;

	if (!place_enter(&c->place))
		return 0;
	got = mpslab_cache_alloc_bulk(c->cache, gfp | __GFP_NOWARN, nr, w->objs);
	if (got && got != nr)
		soak_fail(w, "%s: bulk allocation of %u gave %d", c->name, nr,
			  got);
	for (i = 0; i < got; i++)
		hold(w, c, w->objs[i], false, &h[i]);
	soak_count(got ? C_ALLOC : C_ALLOC_FAILED, got ?: 1);
	/* We were counted once already. */
	atomic_add(got, &c->place.users);
	place_leave(&c->place);
	return got;
}

/* ----------------------------------------------------------- objects: freeing -- */

static void let_go(struct worker *w, struct held *h)
{
	held_check(w, h);
	if (h->from->constructed)
		construct(h->obj);
	soak_count(C_FREE, 1);
}

/* Any context but NMI. */
void cache_put(struct worker *w, struct held *h)
{
	struct soak_cache *c = h->from;

	let_go(w, h);
	mpslab_cache_free(c->cache, h->obj);
	h->from = NULL;
	place_leave(&c->place);
}

static void put_by_address(struct worker *w, struct held *h)
{
	struct soak_cache *c = h->from;

	let_go(w, h);
	soak_count(C_FREE_ADDRESS, 1);
	mpslab_kfree(h->obj);
	h->from = NULL;
	place_leave(&c->place);
}

/*
 * The word of an object that is the allocator's while a grace period is waited for, by
 * the stamp; NULL if the constructor's leave no room.
 */
static long *rcu_word(const struct held *h)
{
	unsigned int words = h->from->size / sizeof(long), first = 0;

	if (h->from->constructed)
		first = BORN_WORDS * sizeof(u32) / sizeof(long);
	if (words <= first)
		return NULL;
	return (long *)h->obj + first + below(again(h->stamp, 12), words - first);
}

bool cache_can_put_rcu(const struct held *h)
{
	return rcu_word(h);
}

/*
 * After a grace period, and that is not waited for: from here on the object is out of
 * the books, and its cache may be destroyed.  Any context but NMI.
 */
void cache_put_rcu(struct worker *w, struct held *h)
{
	struct soak_cache *c = h->from;

	let_go(w, h);
	soak_count(C_FREE_RCU, 1);
	mpslab_kvfree_rcu(rcu_word(h), h->obj);
	h->from = NULL;
	place_leave(&c->place);
}

/* In one of the ways in which one object is freed.  Any context but NMI. */
void cache_put_somehow(struct worker *w, struct held *h, u32 how)
{
	u32 way = below(again(how, 13), 4);

	if (way == 0)
		put_by_address(w, h);
	else if (way == 1 && cache_can_put_rcu(h))
		cache_put_rcu(w, h);
	else
		cache_put(w, h);
}

/*
 * Look at one word of an object that its owner may give to cache_put_rcu() meanwhile,
 * but nobody frees otherwise.  Under RCU, since before it was found.
 */
void cache_read(struct worker *w, const struct held *h, u32 how)
{
	unsigned int i = below(again(how, 1), h->from->size / sizeof(u32));
	const u32 *word = (const u32 *)h->obj + i;
	u32 found;

	if ((h->from->constructed && i < BORN_WORDS) ||
	    PTR_ALIGN_DOWN((long *)word, sizeof(long)) == rcu_word(h))
		return;
	found = READ_ONCE(*word);
	soak_count(C_READ, 1);
	if (found != stamp_word(h->stamp, i))
		soak_fail(w, "%s: reader of stamp %08x finds %08x at %zu",
			  h->from->name, h->stamp, found, i * sizeof(u32));
}

/*
 * Make an object smaller, which leaves it where it is, or larger, which makes it the
 * kernel's; that is freed here.
 */
void cache_resize(struct worker *w, struct held *h, u32 how, gfp_t gfp)
{
	struct soak_cache *c = h->from;
	size_t size = 1 + below(again(how, 1), 2 * c->size);
	bool fits = size <= c->size, stays;
	void *new;

	if (c->constructed)
		return;
	if (mpslab_ksize(h->obj) != c->size)
		soak_fail(w, "%s: object is of %zu bytes, not %u", c->name,
			  mpslab_ksize(h->obj), c->size);
	held_check(w, h);
	new = mpslab_krealloc(h->obj, size, gfp | __GFP_NOWARN);
	if (!new)
		return;
	stays = new == h->obj;
	if (stays != fits)
		soak_fail(w, "%s: object %s for %zu bytes", c->name,
			  stays ? "stays" : "moves", size);
	if (stays) {
		soak_count(C_STAYED, 1);
		return;
	}
	stamp_check(w, c->name, new, c->size, h->stamp);
	mpslab_kfree(new);
	soak_count(C_MOVED, 1);
	soak_count(C_FREE, 1);
	h->from = NULL;
	place_leave(&c->place);
}

/* All of one cache. */
void cache_put_bulk(struct worker *w, struct held *h, unsigned int nr)
{
	struct soak_cache *c = h->from;
	unsigned int i;

	for (i = 0; i < nr; i++) {
		let_go(w, &h[i]);
		w->objs[i] = h[i].obj;
		h[i].from = NULL;
	}
	mpslab_cache_free_bulk(c->cache, nr, w->objs);
	atomic_sub_return(nr, &c->place.users);
}

/*
 * As fast as it goes, so that interrupts and others often find the allocator at
 * work, on its lists above all.  Only the first word says who has the object.
 */
static unsigned int burst_get(struct worker *w, struct soak_cache *c, u32 stamp,
			      unsigned int nr)
{
	unsigned int i;

	for (i = 0; i < nr; i++) {
		w->burst[i] = mpslab_cache_alloc(c->cache,
						 GFP_NOWAIT | __GFP_NOWARN);
		if (!w->burst[i])
			break;
		WRITE_ONCE(*w->burst[i], stamp + i);
	}
	return i;
}

static void burst_put(struct worker *w, struct soak_cache *c, u32 stamp,
		      unsigned int nr)
{
	unsigned int i;
	u32 found;

	for (i = 0; i < nr; i++) {
		found = READ_ONCE(*w->burst[i]);
		if (unlikely(found != stamp + i))
			soak_fail(w, "%s: object of stamp %08x has %08x",
				  c->name, stamp + i, found);
		if (c->constructed)
			construct(w->burst[i]);
		mpslab_cache_free(c->cache, w->burst[i]);
	}
}

/* Some hundred objects, some times, unless the machine is too slow for it. */
void cache_burst(struct worker *w, struct soak_cache *c, u32 how)
{
	unsigned int i, nr, max = 1 + below(how, BURST_MAX);
	unsigned long end = jiffies + HZ;
	u32 stamp;

	if (!place_enter(&c->place))
		return;
	if (c->size > PAGE_SIZE)
		max = 1 + max / 16;
	for (i = 0; i < 4 && soak_running() && time_before(jiffies, end); i++) {
		stamp = worker_stamp(w);
		atomic_add(BURST_MAX, &w->seq);
		nr = burst_get(w, c, stamp, max);
		burst_put(w, c, stamp, nr);
		soak_count(C_BURST, nr);
	}
	place_leave(&c->place);
}

/* ----------------------------------------------------------- coming and going -- */

/* Three of four are of the first half. */
static const unsigned int sizes[] = {
	8, 13, 16, 24, 27, 40, 64, 100, 128, 192, 256, 500,
	512, 1000, 1024, 2000, 2048, 4000, 4096, 8192, 12000, 16384, 32768, 65536,
};

static const unsigned int aligns[] = { 8, 16, 32, 64, 128, 256, 1024, 4096 };

static unsigned int pick_size(u32 how)
{
	unsigned int half = ARRAY_SIZE(sizes) / 2;

	if (how % 4)
		return sizes[below(again(how, 1), half)];
	return sizes[half + below(again(how, 2), ARRAY_SIZE(sizes) - half)];
}

static slab_flags_t pick_flags(u32 how, bool *rcu)
{
	slab_flags_t flags = 0;

	*rcu = !(how & 0x700);
	if (*rcu)
		flags |= SLAB_TYPESAFE_BY_RCU;
	if (!(how & 0x1800))
		flags |= SLAB_HWCACHE_ALIGN;
	if (!(how & 0x6000))
		flags |= SLAB_RECLAIM_ACCOUNT;
	if (!(how & 0x18000))
		flags |= SLAB_ACCOUNT;
	return flags;
}

static void cache_create(struct worker *w, struct soak_cache *c, u32 how,
			 u32 more)
{
	static atomic_t serial;
	struct mpslab_cache_args args = {};
	slab_flags_t flags = pick_flags(how, &c->rcu);

	WRITE_ONCE(c->size, pick_size(again(how, 3)));
	c->align = more % 4 ? 0 : aligns[below(again(more, 1), ARRAY_SIZE(aligns))];
	c->constructed = !(more & 0x300);
	args.align = c->align;
	args.ctor = c->constructed ? construct : NULL;
	if (!(more & 0xc00))
		args.sheaf_capacity = 1 + below(again(more, 2), 200);
	snprintf(c->name, sizeof(c->name), "soak-%d", atomic_inc_return(&serial));
	c->cache = mpslab_cache_create_args(c->name, c->size, &args, flags);
	if (!c->cache) {
		soak_count(C_CACHE_FAILED, 1);
		return;
	}
	soak_count(C_CACHE_CREATED, 1);
	if (mpslab_cache_size(c->cache) != c->size)
		soak_fail(w, "%s: has size %u, not %u", c->name,
			  mpslab_cache_size(c->cache), c->size);
}

static void cache_destroy(struct soak_cache *c)
{
	mpslab_cache_destroy(c->cache);
	c->cache = NULL;
	soak_count(C_CACHE_DESTROYED, 1);
}

/*
 * Another cache in place of @c.  Its objects come back meanwhile: other workers
 * see that the place is closed, and we bring our own.  As all who wait here do
 * that, they do not wait for each other.
 */
void cache_recreate(struct worker *w, struct soak_cache *c, u32 how, u32 more)
{
	int old = atomic_read(&c->place.state);

	if (old == PLACE_CLOSED ||
	    atomic_cmpxchg(&c->place.state, old, PLACE_CLOSED) != old)
		return;
	while (atomic_read(&c->place.users) && soak_running()) {
		worker_settle(w);
		usleep_range(100, 500);
	}
	if (!soak_running()) {
		atomic_set(&c->place.state, old);
		return;
	}
	if (c->cache)
		cache_destroy(c);
	cache_create(w, c, how, more);
	atomic_set_release(&c->place.state,
			   c->cache ? PLACE_OPEN : PLACE_EMPTY);
}

/*
 * Wait until all that was given to cache_put_rcu() is freed: a cache that is destroyed
 * waits for it.  False if the cache could not be made, as a plan may have it.
 */
bool caches_wait_for_rcu(void)
{
	struct mpslab_cache *cache;
	struct rcu_head *obj = NULL;

	cache = mpslab_cache_create("rcu", sizeof(*obj), 0, 0, NULL);
	if (cache)
		obj = mpslab_cache_alloc(cache, GFP_KERNEL | __GFP_NOWARN);
	if (obj)
		mpslab_kvfree_rcu(obj, obj);
	mpslab_cache_destroy(cache);
	return obj;
}

int caches_init(void)
{
	return list_lru_init(&soak_lru);
}

/* Nobody works any more, and nobody has an object. */
void caches_destroy(void)
{
	struct soak_cache *c;

	for (c = soak_caches; c < soak_caches + SOAK_CACHES; c++) {
		atomic_set(&c->place.state, PLACE_EMPTY);
		if (c->cache)
			cache_destroy(c);
	}
	list_lru_destroy(&soak_lru);
}
