/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "gui/tray/pixmaps.h"

#include <gdk-pixbuf/gdk-pixbuf.h>

#define SYMBOLIC "fill=\"#2e3436\""
#define RIMMED                                                                                     \
    "fill=\"#ffffff\" stroke=\"#241f31\" stroke-width=\"1.2\" stroke-linejoin=\"round\" "          \
    "paint-order=\"stroke\""

/* A viewBox with room for the rim. */
#define VIEW "viewBox=\"0 0 16 16\""
#define WIDER_VIEW "viewBox=\"-0.6 -0.6 17.2 17.2\""

static char *replaced(char *text, const char *from, const char *to)
{
    g_auto(GStrv) parts = g_strsplit(text, from, -1);

    g_free(text);
    return g_strjoinv(to, parts);
}

static GInputStream *drawing_of(enum godwit_state state)
{
    g_autofree char *path =
        g_strdup_printf(ICON_RESOURCES "godwit-%s-symbolic.svg", godwit_state_name(state));
    g_autoptr(GBytes) data = g_resources_lookup_data(path, G_RESOURCE_LOOKUP_FLAGS_NONE, NULL);
    char *svg;

    if (data == NULL) {
        return NULL;
    }
    svg = g_strndup(g_bytes_get_data(data, NULL), g_bytes_get_size(data));
    svg = replaced(replaced(svg, SYMBOLIC, RIMMED), VIEW, WIDER_VIEW);
    return g_memory_input_stream_new_from_data(svg, -1, g_free);
}

/* ARGB, most significant octet first, whatever the machine's order. */
static GVariant *argb_of(const GdkPixbuf *pixbuf)
{
    int width = gdk_pixbuf_get_width(pixbuf), height = gdk_pixbuf_get_height(pixbuf);
    int stride = gdk_pixbuf_get_rowstride(pixbuf), channels = gdk_pixbuf_get_n_channels(pixbuf);
    const guint8 *pixels = gdk_pixbuf_read_pixels(pixbuf);
    gsize size = (gsize)width * (gsize)height * 4;
    guint8 *octets = g_malloc(size), *to = octets;

    for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++, to += 4) {
            const guint8 *from = pixels + y * stride + x * channels;

            to[0] = channels == 4 ? from[3] : 0xff;
            to[1] = from[0];
            to[2] = from[1];
            to[3] = from[2];
        }
    }
    return g_variant_new(
        "(ii@ay)", width, height,
        g_variant_new_from_data(G_VARIANT_TYPE_BYTESTRING, octets, size, TRUE, g_free, octets));
}

GVariant *pixmaps_of(enum godwit_state state)
{
    static const int sizes[] = {16, 22, 24, 32, 48, 64};
    GVariantBuilder builder;

    g_variant_builder_init(&builder, G_VARIANT_TYPE("a(iiay)"));
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autoptr(GInputStream) drawing = drawing_of(state);
        g_autoptr(GdkPixbuf) pixbuf =
            drawing == NULL ? NULL
                            : gdk_pixbuf_new_from_stream_at_scale(drawing, sizes[i], sizes[i], TRUE,
                                                                  NULL, NULL);

        if (pixbuf != NULL) {
            g_variant_builder_add_value(&builder, argb_of(pixbuf));
        }
    }
    return g_variant_builder_end(&builder);
}
