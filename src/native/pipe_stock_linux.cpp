// SPDX-License-Identifier: MIT
#include "pipe_stock.h"

#include "reactor.h"

#include <fcntl.h>

#include <vector>

namespace ProcessKit::Native {

namespace {

Pipe makePipe()
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) < 0)
        return {};
    Pipe pipe{ UniqueFd(ends[0]), UniqueFd(ends[1]) };
    pipe.readEnd = aboveStandardStreams(std::move(pipe.readEnd));
    pipe.writeEnd = aboveStandardStreams(std::move(pipe.writeEnd));
    return pipe.readEnd && pipe.writeEnd ? std::move(pipe) : Pipe();
}

// Outlives the static destructors, as the reactor's thread does.
std::vector<Pipe> &stock()
{
    static auto *pipes = new std::vector<Pipe>;
    return *pipes;
}

void fillUp()
{
    constexpr std::size_t streams = 3;
    while (stock().size() < streams) {
        Pipe pipe = makePipe();
        if (!pipe.readEnd)
            return;
        stock().push_back(std::move(pipe));
    }
}

} // namespace

Pipe takePipe()
{
    if (stock().empty())
        return makePipe();
    if (stock().size() == 3)
        Reactor::instance().afterTurn(fillUp);
    Pipe pipe = std::move(stock().back());
    stock().pop_back();
    return pipe;
}

} // namespace ProcessKit::Native
