# SPDX-License-Identifier: MIT
# The example tells of a repository what there is to tell.
find_program(GIT git)
if(NOT GIT)
    message(STATUS "git is missing")
    return()
endif()

# whatever the settings of who runs this
set(ENV{GIT_CONFIG_GLOBAL} /dev/null)
set(ENV{GIT_CONFIG_NOSYSTEM} 1)
# what a hook, from which the tests may be run, would say
unset(ENV{GIT_DIR})
unset(ENV{GIT_WORK_TREE})
unset(ENV{GIT_INDEX_FILE})

function(git)
    execute_process(COMMAND ${GIT} -c user.name=Ada -c user.email=ada@example.org ${ARGN}
        WORKING_DIRECTORY ${WORK_DIR} COMMAND_ERROR_IS_FATAL ANY OUTPUT_QUIET)
endfunction()

function(expect code)
    execute_process(COMMAND ${PROGRAM} WORKING_DIRECTORY ${WORK_DIR}
        RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE error)
    if(NOT result EQUAL code)
        message(FATAL_ERROR "exit code ${result}:\n${output}${error}")
    endif()
    foreach(part IN LISTS ARGN)
        string(FIND "${output}${error}" "${part}" place)
        if(place LESS 0)
            message(FATAL_ERROR "no \"${part}\" in:\n${output}${error}")
        endif()
    endforeach()
endfunction()

file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})
set(ENV{GIT_CEILING_DIRECTORIES} ${WORK_DIR}/..)
expect(1 "not a git repository")

git(init -q)
git(symbolic-ref HEAD refs/heads/trunk)
expect(0 "/git on trunk, 0 changes")

file(WRITE ${WORK_DIR}/wheel "a\nb\n")
file(WRITE ${WORK_DIR}/old "a name\nthat changes\n")
git(add .)
git(commit -q -m "First: wheels")
file(WRITE ${WORK_DIR}/wheel "a\nc\nd\n")
file(WRITE "${WORK_DIR}/new one" "x\n")
git(mv old renamed)
expect(0 "on trunk, 3 changes" "M wheel" "2 added, 1 removed" "? new one" "R old -> renamed"
    "  Ada  First: wheels")

git(checkout -q --detach)
expect(0 "on no branch")
