// SPDX-License-Identifier: GPL-2.0
/*
 * A driver as others write them, with all that mpslab_dropin.h takes over; it is
 * compiled for each kernel, and not run.  With REFUSED set to a number, it has
 * something in it that must not compile.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt
#define dev_fmt(fmt) "probe: " fmt

#include <linux/fs.h>
#include <linux/mempool.h>
#include <linux/module.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/wait.h>

#ifndef REFUSED
#define REFUSED 0
#endif

struct probe_object {
	struct rcu_head rcu;
	mempool_t pool;
	char text[24];
};

struct probe_ops {
	void (*free)(const void *p);
	void (*cache_free)(struct kmem_cache *cache, void *obj);
	mempool_alloc_t *alloc;
};

static const struct probe_ops ops __used = {
	.free = kfree,
	.cache_free = kmem_cache_free,
	.alloc = mempool_alloc_slab,
};

static struct kmem_cache *cache;
static mempool_t *pools[6];

static void probe_ctor(void *obj)
{
}

/* The kernel's is not asked for. */
static int __used bsearch(struct probe_object *obj, u64 key)
{
	return obj->text[key];
}

static int probe_create(void)
{
	cache = kmem_cache_create("probe", sizeof(struct probe_object), 0,
				  SLAB_HWCACHE_ALIGN, probe_ctor);
	kmem_cache_destroy(cache);
	cache = kmem_cache_create_usercopy("probe", sizeof(struct probe_object),
					   8, 0,
					   offsetof(struct probe_object, text),
					   24, NULL);
	kmem_cache_destroy(cache);
	cache = KMEM_CACHE_USERCOPY(probe_object, 0, text);
	kmem_cache_destroy(cache);
#ifdef PROBE_ARGS
	struct kmem_cache_args args = { .align = 64, .ctor = probe_ctor };

	cache = kmem_cache_create("probe", 64, &args, 0);
	kmem_cache_destroy(cache);
	cache = kmem_cache_create("probe", 64, NULL, 0);
	kmem_cache_destroy(cache);
#endif
	cache = KMEM_CACHE(probe_object, SLAB_ACCOUNT);
	return cache ? 0 : -ENOMEM;
}

static void probe_objects(struct super_block *sb)
{
	struct probe_object *obj;
	void *objs[4];

	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	kmem_cache_free(cache, obj);
	obj = kmem_cache_zalloc(cache, GFP_KERNEL);
	kfree(obj);
	obj = kmem_cache_alloc_node(cache, GFP_KERNEL, NUMA_NO_NODE);
	kvfree(obj);
	obj = kmem_cache_alloc_lru(cache, &sb->s_inode_lru, GFP_KERNEL);
	kfree_rcu(obj, rcu);
	obj = alloc_inode_sb(sb, cache, GFP_KERNEL);
	kvfree_rcu(obj, rcu);
	obj = kmem_cache_alloc(cache, GFP_KERNEL);
	kfree_rcu_mightsleep(obj);
	if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, 4, objs))
		kmem_cache_free_bulk(cache, 4, objs);
	if (kmem_cache_alloc_bulk(cache, GFP_KERNEL, 4, objs))
		kfree_bulk(4, objs);
	kmem_cache_shrink(cache);
	pr_info("%u bytes\n", kmem_cache_size(cache));
}

static void probe_by_address(struct device *dev)
{
	void *p = kmalloc(10, GFP_KERNEL), *larger;

	pr_debug("%zu bytes\n", ksize(p));
	larger = krealloc(p, 20, GFP_KERNEL);
	p = krealloc_array(larger, 10, 4, GFP_KERNEL);
	kfree_sensitive(p);
	kvfree_sensitive(kvmalloc(10, GFP_KERNEL), 10);
	kfree_const(kstrdup_const("text", GFP_KERNEL));
#ifdef DEFINE_FREE
	void *scoped __free(kfree) = kmalloc(10, GFP_KERNEL);

	dev_dbg(dev, "%p\n", scoped);
#endif
	dev_err(dev, "no %s\n", "device");
}

static void probe_pools(void)
{
	struct probe_object *obj = kzalloc(sizeof(*obj), GFP_KERNEL);
	wait_queue_head_t wait;
	void *element;

	if (!obj)
		return;
	init_waitqueue_head(&wait);
	pools[0] = mempool_create(1, mempool_alloc_slab, mempool_free_slab,
				  cache);
	pools[1] = mempool_create_node(1, mempool_kmalloc, mempool_kfree,
				       (void *)10, GFP_KERNEL, NUMA_NO_NODE);
	pools[2] = mempool_create_slab_pool(1, cache);
	pools[3] = mempool_create_kmalloc_pool(1, 10);
	pools[4] = mempool_create_page_pool(1, 0);
	mempool_destroy(pools[0]);
	if (!mempool_init_slab_pool(&obj->pool, 1, cache))
		mempool_exit(&obj->pool);
	if (!mempool_init_kmalloc_pool(&obj->pool, 1, 10)) {
		element = mempool_alloc(&obj->pool, GFP_NOIO);
		mempool_free(element, &obj->pool);
		pr_warn_once("%d of %d\n", obj->pool.curr_nr, obj->pool.min_nr);
		mempool_resize(&obj->pool, 2);
	}
	if (mempool_initialized(&obj->pool))
		mempool_exit(&obj->pool);
	kfree(obj);
}

static void probe_names(void)
{
	char *name = __getname();

	if (name)
		__putname(name);
}

#if REFUSED == 1	/* a cache of the kernel's */
static void *refused(struct bio_set *bs)
{
	return kmem_cache_alloc(bs->bio_slab, GFP_KERNEL);
}
#elif REFUSED == 2	/* a pool of the kernel's */
static void *refused(struct bio_set *bs)
{
	return mempool_alloc(&bs->bio_pool, GFP_KERNEL);
}
#elif REFUSED == 3	/* a cache of the kernel's under a pool */
static void *refused(struct bio_set *bs)
{
	return mempool_create_slab_pool(1, bs->bio_slab);
}
#elif REFUSED == 4	/* ours for the kernel */
static int refused(struct bio_set *bs)
{
	return bio_list_empty((struct bio_list *)NULL) ? 0 :
		mempool_resize(&bs->bvec_pool, 1);
}
#endif

static int __init probe_init(void)
{
	int err = probe_create();

	if (err)
		return err;
	probe_objects(NULL);
	probe_by_address(NULL);
	probe_pools();
	probe_names();
	kmem_cache_destroy(cache);
	return -ENODEV;
}
module_init(probe_init);

MODULE_DESCRIPTION("What mpslab_dropin.h takes over");
MODULE_LICENSE("GPL");
