# SPDX-License-Identifier: MIT
function(run)
    execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
    if(NOT result EQUAL 0)
        list(JOIN ARGN " " command)
        message(FATAL_ERROR "${command}\nended with ${result}\n${output}")
    endif()
endfunction()

# Installs into WORK_DIR and moves the result, so that nothing can depend on where it was. The
# shared library is the installed one and not that of the build tree.
function(install_and_move prefix_variable)
    run(${CMAKE_COMMAND} --install ${BUILD_TREE} --config ${BUILD_TYPE} --prefix ${WORK_DIR}/first)
    file(RENAME ${WORK_DIR}/first ${WORK_DIR}/moved)
    set(${prefix_variable} ${WORK_DIR}/moved PARENT_SCOPE)
endfunction()

# Runs the consumer and checks each thing that it prints.
function(check_consumer program keeper)
    execute_process(COMMAND ${program} RESULT_VARIABLE result
        OUTPUT_VARIABLE output ERROR_VARIABLE errors)
    set(report "the consumer ended with ${result}\n${output}${errors}")
    if(NOT result EQUAL 0 OR NOT output MATCHES "line: hello from a child\n")
        message(FATAL_ERROR "${report}")
    endif()
    if(NOT output MATCHES "mechanism: (CgroupV2|Subreaper)\n")
        message(FATAL_ERROR "not contained: ${report}")
    endif()
    if(NOT output MATCHES "keeper: ([^\n]+)\n")
        message(FATAL_ERROR "no keeper: ${report}")
    endif()
    file(REAL_PATH ${CMAKE_MATCH_1} found)
    file(REAL_PATH ${keeper} wanted)
    if(NOT found STREQUAL wanted)
        message(FATAL_ERROR "not the keeper ${wanted}: ${report}")
    endif()
    message(STATUS "${output}")
endfunction()

unset(ENV{PROCESSKIT_KEEPER})
file(REMOVE_RECURSE ${WORK_DIR})
file(MAKE_DIRECTORY ${WORK_DIR})
