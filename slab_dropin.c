// SPDX-License-Identifier: GPL-2.0
/*
 * What a driver written for the kernel's allocator does with its objects beside
 * kmem_cache_free(): kfree(), kvfree(), ksize() and the like, which know an object
 * by its address; kfree_rcu(); and kmem_cache_alloc_lru().
 *
 * By address: an object is ours if its page's private word is the address of a
 * descriptor that names this page, as find_slab() has it, of whatever cache.  All
 * else is the kernel's, and goes there.
 *
 * After a grace period: an object that is freed by RCU has room for one pointer
 * (that is all that new kernels ask for), so objects are chained, and each CPU has
 * one rcu_work for its chain.  While a grace period runs for @waiting, newcomers
 * gather in @pending, and follow when it is over.  A task frees them: a chain may be
 * long, and within one callback RCU can't see how long it takes.
 */
#include <linux/export.h>
#include <linux/hash.h>
#include <linux/kmemleak.h>
#include <linux/memcontrol.h>
#include <linux/mm.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "internal.h"

/* ----------------------------------------------------------------- by address -- */

static bool free_if_ours(const void *p)
{
	struct mpslab_slab *slab = any_slab(p);

	if (!slab)
		return false;
	mpslab_cache_free(slab->cache, (void *)p);
	return true;
}

/**
 * mpslab_owns() - does memory belong to an mpslab cache?
 * @p: any address
 *
 * Context: any.
 * Return: true if it lies in a slab.
 */
bool mpslab_owns(const void *p)
{
	return any_slab(p);
}
EXPORT_SYMBOL_GPL(mpslab_owns);

/**
 * mpslab_kfree() - free an object by its address, be it ours or the kernel's
 * @p: an object of an mpslab cache, or whatever kfree() takes
 *
 * Context: as mpslab_cache_free(), or as kfree().
 */
void mpslab_kfree(const void *p)
{
	if (!free_if_ours(p))
		kfree(p);
}
EXPORT_SYMBOL_GPL(mpslab_kfree);

/**
 * mpslab_kvfree() - the same as kvfree()
 * @p: an object of an mpslab cache, or whatever kvfree() takes
 *
 * Context: as mpslab_cache_free(), or as kvfree().
 */
void mpslab_kvfree(const void *p)
{
	if (!free_if_ours(p))
		kvfree(p);
}
EXPORT_SYMBOL_GPL(mpslab_kvfree);

/**
 * mpslab_kfree_const() - the same as kfree_const()
 * @p: an object of an mpslab cache, or whatever kfree_const() takes
 *
 * Context: as mpslab_kfree().
 */
void mpslab_kfree_const(const void *p)
{
	if (!free_if_ours(p))
		kfree_const(p);
}
EXPORT_SYMBOL_GPL(mpslab_kfree_const);

/**
 * mpslab_kfree_sensitive() - overwrite an object, and free it
 * @p: an object of an mpslab cache, or whatever kfree_sensitive() takes
 *
 * Context: as mpslab_kfree().
 */
void mpslab_kfree_sensitive(const void *p)
{
	struct mpslab_slab *slab = any_slab(p);

	if (!slab) {
		kfree_sensitive(p);
		return;
	}
	/* What is no object is not wiped either: the free says so. */
	if (slab_index(slab, p) >= 0)
		memzero_explicit((void *)p, slab->cache->object_size);
	mpslab_cache_free(slab->cache, (void *)p);
}
EXPORT_SYMBOL_GPL(mpslab_kfree_sensitive);

/**
 * mpslab_kvfree_sensitive() - overwrite memory of a given length, and free it
 * @p: an object of an mpslab cache, or whatever kvfree_sensitive() takes
 * @len: how many bytes to overwrite
 *
 * Context: as mpslab_kvfree().
 */
void mpslab_kvfree_sensitive(const void *p, size_t len)
{
	if (any_slab(p))
		mpslab_kfree_sensitive(p);
	else
		kvfree_sensitive(p, len);
}
EXPORT_SYMBOL_GPL(mpslab_kvfree_sensitive);

/**
 * mpslab_kfree_bulk() - free many objects by their addresses
 * @nr: how many
 * @p: the objects; each as for mpslab_kfree()
 *
 * Context: as mpslab_kfree().
 */
void mpslab_kfree_bulk(size_t nr, void **p)
{
	while (nr--)
		mpslab_kfree(p[nr]);
}
EXPORT_SYMBOL_GPL(mpslab_kfree_bulk);

/**
 * mpslab_ksize() - bytes that may be used of an object
 * @p: an object of an mpslab cache, or whatever ksize() takes
 *
 * Context: any.
 * Return: the size as given to mpslab_cache_create(), or what ksize() says.
 */
size_t mpslab_ksize(const void *p)
{
	struct mpslab_slab *slab = any_slab(p);

	return slab ? slab->cache->object_size : ksize(p);
}
EXPORT_SYMBOL_GPL(mpslab_ksize);

/**
 * mpslab_krealloc() - change the size of memory
 * @p: an object of an mpslab cache, or whatever krealloc() takes
 * @size: bytes that are wanted
 * @gfp: allocation flags
 *
 * An object that is large enough stays where it is; else the content moves to
 * memory of kmalloc().
 *
 * Context: as krealloc().
 * Return: as krealloc(): the memory, or NULL, and then @p is as it was;
 * %ZERO_SIZE_PTR for a @size of 0, which frees @p.
 */
void *mpslab_krealloc(const void *p, size_t size, gfp_t gfp)
{
	struct mpslab_slab *slab = any_slab(p);
	size_t old;
	void *new;

	if (!slab)
		return krealloc(p, size, gfp);
	old = slab->cache->object_size;
	if (size && size <= old)
		return (void *)p;
	new = kmalloc(size, gfp);
	if (!new)
		return NULL;
	if (size)
		memcpy(new, p, old);
	mpslab_kfree(p);
	return new;
}
EXPORT_SYMBOL_GPL(mpslab_krealloc);

/* ------------------------------------------------------------------ after RCU -- */

/**
 * struct rcu_link - what the pointer in an object is used for while it waits
 * @next: where the next object has its own, as rcu_list.cookie hides it
 */
struct rcu_link {
	unsigned long next;
};

/**
 * struct rcu_list - objects that wait for the same grace period
 * @first: the newest
 * @cookie: of this list; two that are in use at a time hardly ever have the same, and
 *	of one CPU never
 *
 * A list is as good as what clients do to objects that they have given away.  One that
 * is given away twice would lead back to itself, or into another list; one that is
 * written to, anywhere.  So what links them is hidden by the cookie, and by its opposite
 * when a list is gone through before the first of its objects is freed: what was hidden
 * otherwise makes no sense.
 */
struct rcu_list {
	struct rcu_link *first;
	unsigned long cookie;
};

/**
 * struct rcu_chain - one CPU's objects that wait for a grace period
 * @lock: guards the rest
 * @waiting: freed when the grace period that @work stands for is over
 * @pending: those that came later
 * @lists: how many lists there have been
 * @running: @work is queued, and rcu_chain_free() has not come for @waiting
 * @work: for queue_rcu_work()
 */
struct rcu_chain {
	raw_spinlock_t lock;
	struct rcu_list waiting;
	struct rcu_list pending;
	unsigned long lists;
	bool running;
	struct rcu_work work;
};

static DEFINE_PER_CPU(struct rcu_chain, rcu_chain) = {
	.lock = __RAW_SPIN_LOCK_UNLOCKED(rcu_chain.lock),
};

static struct workqueue_struct *rcu_wq;

/* Others may run after so many objects. */
#define RCU_BATCH	64

static void hide_next(struct rcu_link *link, struct rcu_link *next,
		      unsigned long cookie)
{
	link->next = (unsigned long)next ^ cookie;
}

static struct rcu_link *next_link(const struct rcu_link *link,
				  unsigned long cookie)
{
	return (struct rcu_link *)(link->next ^ cookie);
}

/*
 * The object of a link, and its slab; NULL if it can't be one: it was hidden otherwise,
 * or is freed.
 */
static void *link_object(const struct rcu_link *link, struct mpslab_slab **slab)
{
	if (!IS_ALIGNED((unsigned long)link, sizeof(*link)))
		return NULL;
	*slab = any_slab(link);
	return *slab ? slab_object_around(*slab, link, sizeof(*link)) : NULL;
}

static bool link_is_good(const struct rcu_link *link)
{
	struct mpslab_slab *slab;

	return link_object(link, &slab);
}

/* @done objects have been dealt with; the list is nobody else's any more. */
static void let_others_run(unsigned int done)
{
	if (done % RCU_BATCH == 0)
		cond_resched();
}

static void report_gone(void)
{
	usage_bug("cache", "an object was freed after kfree_rcu(); those before it are lost");
}

static void report_link(const struct rcu_link *link)
{
	struct mpslab_slab *slab = any_slab(link);

	if (slab)
		cache_bug(slab->cache, ERROR_DOUBLE_FREE,
			  "those that came before it on this CPU are not freed, and lost",
			  "an object was used after kfree_rcu(), or given to it twice");
	else
		report_gone();	/* since it was looked at */
}

/*
 * Cut off what can't be believed.  If that is the one behind @link, then nothing says
 * which of the two was misused.
 */
static void check_list(struct rcu_list *list)
{
	struct rcu_link *link = list->first, *next, *last = NULL;
	unsigned int done = 0;

	if (unlikely(!link_is_good(link))) {
		report_gone();
		list->first = NULL;
		return;
	}
	for (; link; last = link, link = next) {
		next = next_link(link, list->cookie);
		if (unlikely(next && !link_is_good(next)))
			break;
		hide_next(link, next, ~list->cookie);
		let_others_run(++done);
	}
	if (likely(!link))
		return;
	report_link(link);
	if (last)
		hide_next(last, NULL, ~list->cookie);
	else
		list->first = NULL;
}

/* Between the two looks, and by what is freed here, an object may be gone. */
static void free_list(struct rcu_list *list)
{
	struct rcu_link *link, *next;
	struct mpslab_slab *slab;
	unsigned int done = 0;
	void *obj;

	check_list(list);
	for (link = list->first; link; link = next) {
		obj = link_object(link, &slab);
		if (unlikely(!obj)) {
			report_gone();
			break;
		}
		next = next_link(link, ~list->cookie);
		mpslab_cache_free(slab->cache, obj);
		let_others_run(++done);
	}
}

/*
 * A grace period is over: what is pending is next.  One chain's work is never executed
 * twice at once, also if its next grace period is over before this returns: a workqueue
 * sees to that.  From the start of this function it may be queued again.
 */
static void rcu_chain_free(struct work_struct *work)
{
	struct rcu_chain *chain = container_of(to_rcu_work(work),
					       struct rcu_chain, work);
	struct rcu_list done;

	raw_spin_lock_irq(&chain->lock);
	done = chain->waiting;
	chain->waiting = chain->pending;
	chain->pending.first = NULL;
	chain->running = chain->waiting.first;
	if (chain->running)
		queue_rcu_work(rcu_wq, &chain->work);
	raw_spin_unlock_irq(&chain->lock);
	free_list(&done);
}

static void rcu_chain_add(struct rcu_link *link)
{
	struct rcu_chain *chain = raw_cpu_ptr(&rcu_chain);
	struct rcu_list *list;
	unsigned long flags;

	raw_spin_lock_irqsave(&chain->lock, flags);
	list = chain->running ? &chain->pending : &chain->waiting;
	if (!list->first)
		list->cookie = ((unsigned long)chain + chain->lists++) *
			       GOLDEN_RATIO_PRIME;
	hide_next(link, list->first, list->cookie);
	list->first = link;
	/*
	 * Under the lock: kvfree_rcu_wait() counts on it.  It is no more than a
	 * call_rcu(), so that it may be done here, and with interrupts off.
	 */
	if (!chain->running) {
		chain->running = true;
		queue_rcu_work(rcu_wq, &chain->work);
	}
	raw_spin_unlock_irqrestore(&chain->lock, flags);
}

/**
 * mpslab_kvfree_rcu() - free an object after a grace period
 * @head: a struct rcu_head or kvfree_rcu_head in the object; NULL if it has none,
 *	and then this waits for the grace period
 * @p: an object of an mpslab cache, or whatever kvfree_rcu() takes
 *
 * mpslab_cache_destroy() waits for objects that are on this way.
 *
 * Context: any but NMI; without @head, sleeps.
 */
void mpslab_kvfree_rcu(void *head, const void *p)
{
	struct mpslab_slab *slab = any_slab(p);

	if (!slab) {
		compat_kvfree_call_rcu(head, p);
	} else if (head) {
		WRITE_ONCE(slab->cache->rcu_frees, true);
		/* It does not find what is hidden, and would take it for lost. */
		kmemleak_free(p);
		rcu_chain_add(head);
	} else {
		synchronize_rcu();
		mpslab_kfree(p);
	}
}
EXPORT_SYMBOL_GPL(mpslab_kvfree_rcu);

/**
 * kvfree_rcu_wait() - wait for all that mpslab_kvfree_rcu() was called with
 *
 * While an object is in a chain, the chain's work is on its way, as it was queued in the
 * same hold of its lock: RCU has its callback, or the workqueue has the work, or it is
 * being executed and has not come for the object yet.  The barrier ends the first, as the
 * callback queues the work; the flush the others.  So after one round what was waiting is
 * freed, and so is what an execution had taken already; and what was pending waits, its
 * work queued anew.  The second round is for that.
 *
 * Context: task; sleeps.
 */
void kvfree_rcu_wait(void)
{
	int round;

	for (round = 0; round < 2; round++) {
		rcu_barrier();
		flush_workqueue(rcu_wq);
	}
}
EXPORT_SYMBOL_IF_KUNIT(kvfree_rcu_wait);

/* ------------------------------------------------------------------ list_lru -- */

#ifdef CONFIG_MEMCG
/*
 * list_lru_add() finds the list by the memory cgroup that the object's page is
 * charged to, and takes for granted that there is one: the kernel's allocator makes
 * it when the object is allocated.  Only that allocator can, so it is asked for an
 * object that nobody wants, on behalf of the page's cgroup, which need not be the
 * caller's: pages stay charged to whose task had them first.
 */
static struct kmem_cache *lru_maker;

static struct mem_cgroup *page_memcg_get(struct page *page)
{
	struct mem_cgroup *memcg;

	rcu_read_lock();
	do {
		memcg = page_memcg_check(page);
	} while (memcg && !css_tryget(&memcg->css));
	rcu_read_unlock();
	return memcg;
}

static bool make_lru_lists(const void *obj, struct list_lru *lru, gfp_t gfp)
{
	struct mem_cgroup *memcg = page_memcg_get(virt_to_head_page(obj));
	struct mem_cgroup *active;
	void *unwanted;

	if (!memcg)
		return true;
	active = set_active_memcg(memcg);
	unwanted = kmem_cache_alloc_lru(lru_maker, lru, gfp & ~__GFP_ZERO);
	set_active_memcg(active);
	mem_cgroup_put(memcg);
	if (unwanted)
		kmem_cache_free(lru_maker, unwanted);
	return unwanted;
}

static int lru_maker_init(void)
{
	lru_maker = setup_alloc(kmem_cache_create("mpslab_lru_maker",
						  sizeof(long), 0,
						  SLAB_ACCOUNT, NULL));
	return lru_maker ? 0 : -ENOMEM;
}

static void lru_maker_exit(void)
{
	kmem_cache_destroy(lru_maker);
}
#else
static bool make_lru_lists(const void *obj, struct list_lru *lru, gfp_t gfp)
{
	return true;
}

static int lru_maker_init(void)
{
	return 0;
}

static void lru_maker_exit(void)
{
}
#endif

/**
 * mpslab_cache_alloc_lru() - allocate an object that will be on a list_lru
 * @cache: the cache
 * @lru: the list_lru, such as that of a super block's inodes
 * @gfp: allocation flags
 *
 * Makes sure that @lru has lists for the memory cgroup that list_lru_add() will
 * look for: that of the object's page, if the cache has %SLAB_ACCOUNT.
 *
 * Context: as mpslab_cache_alloc(), and as kmem_cache_alloc_lru().
 * Return: as mpslab_cache_alloc().
 */
void *mpslab_cache_alloc_lru(struct mpslab_cache *cache, struct list_lru *lru,
			     gfp_t gfp)
{
	void *obj = mpslab_cache_alloc(cache, gfp);

	if (!obj || !lru || !(cache->flags & SLAB_ACCOUNT))
		return obj;
	if (likely(make_lru_lists(obj, lru, gfp)))
		return obj;
	mpslab_cache_free(cache, obj);
	return NULL;
}
EXPORT_SYMBOL_GPL(mpslab_cache_alloc_lru);

/* -------------------------------------------------------------- init and exit -- */

/**
 * slab_dropin_init() - set up what is in this file
 *
 * A long chain keeps its CPU busy, which other work items are not to wait for.
 *
 * Context: task; sleeps.
 * Return: 0 or -ENOMEM; then nothing remains.
 */
int slab_dropin_init(void)
{
	int cpu, err;

	for_each_possible_cpu(cpu)
		INIT_RCU_WORK(&per_cpu_ptr(&rcu_chain, cpu)->work, rcu_chain_free);
	rcu_wq = setup_alloc(alloc_workqueue("mpslab_rcu",
					     WQ_MEM_RECLAIM | WQ_PERCPU |
					     WQ_CPU_INTENSIVE, 0));
	if (!rcu_wq)
		return -ENOMEM;
	err = lru_maker_init();
	if (err)
		destroy_workqueue(rcu_wq);
	return err;
}

/**
 * slab_dropin_exit() - undo slab_dropin_init()
 *
 * Every cache holds the module, and waited for its objects when it was destroyed: no
 * chain has any, and nothing is queued.
 *
 * Context: task; sleeps.
 */
void slab_dropin_exit(void)
{
	lru_maker_exit();
	destroy_workqueue(rcu_wq);
}
