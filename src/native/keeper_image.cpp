// SPDX-License-Identifier: MIT
#include "keeper_image.h"

extern "C" const char processkit_keeper_image_begin[];
extern "C" const char processkit_keeper_image_end[];

namespace ProcessKit::Native {

std::string_view keeperImage()
{
    return { processkit_keeper_image_begin,
             std::size_t(processkit_keeper_image_end - processkit_keeper_image_begin) };
}

} // namespace ProcessKit::Native
