// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.26;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC3009} from "@openzeppelin/contracts/token/ERC20/extensions/draft-ERC3009.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/**
 * A token for tests, with the parts of USDC that payments meet: its EIP-712 domain, EIP-3009, the blacklist, the pause.
 *
 * NOT FOR A PUBLIC CHAIN: anyone may mint it, blacklist any address and pause it. It has no owner on purpose.
 */
contract TestUSDC is ERC3009 {
    bool public paused;
    mapping(address account => bool listed) public isBlacklisted;

    // ERC20Permit is not inherited: it would make the domain's version "1", and USDC's is "2".
    constructor() ERC20("USD Coin", "USDC") EIP712("USD Coin", "2") {}

    function decimals() public pure override returns (uint8) {
        return 6;
    }

    /// The version of the EIP-712 domain, which USDC offers to be read.
    function version() external view returns (string memory) {
        return _EIP712Version();
    }

    // solhint-disable-next-line func-name-mixedcase
    function DOMAIN_SEPARATOR() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    /// Anyone may: it is a test token.
    function mint(address to, uint256 value) external {
        _mint(to, value);
    }

    /// Anyone may: it is a test token.
    function blacklist(address account, bool listed) external {
        isBlacklisted[account] = listed;
    }

    /// Anyone may: it is a test token.
    function pause(bool on) external {
        paused = on;
    }

    /// The form that takes the signature whole, of a key or of a contract (ERC-1271). USDC has it; ERC3009 does not.
    function transferWithAuthorization(
        address from,
        address to,
        uint256 value,
        uint256 validAfter,
        uint256 validBefore,
        bytes32 nonce,
        bytes memory signature
    ) external {
        bytes32 hash = _hashTypedDataV4(
            keccak256(abi.encode(TRANSFER_WITH_AUTHORIZATION_TYPEHASH, from, to, value, validAfter, validBefore, nonce))
        );
        require(SignatureChecker.isValidSignatureNow(from, hash, signature), ERC3009InvalidSignature());
        _transferWithAuthorization(from, to, value, validAfter, validBefore, nonce);
    }

    /// Seconds alone: ERC3009 would read some large values as block numbers, which USDC does not.
    function _checkValidity(uint256 validAfter, uint256 validBefore) internal view override {
        require(
            block.timestamp > validAfter && block.timestamp < validBefore,
            ERC3009InvalidAuthorizationTime(validAfter, validBefore)
        );
    }

    /// Every transfer comes by here. The reasons are in USDC's words, so that who reads them meets the same.
    function _update(address from, address to, uint256 value) internal override {
        require(!paused, "Pausable: paused");
        require(!isBlacklisted[from] && !isBlacklisted[to], "Blacklistable: account is blacklisted");
        super._update(from, to, value);
    }
}
