// SPDX-License-Identifier: MIT
pragma solidity ^0.8.26;

/// What the proxy needs of Permit2.
interface ISignatureTransfer {
    struct TokenPermissions {
        address token;
        uint256 amount;
    }

    struct PermitTransferFrom {
        TokenPermissions permitted;
        uint256 nonce;
        uint256 deadline;
    }

    struct SignatureTransferDetails {
        address to;
        uint256 requestedAmount;
    }

    function permitWitnessTransferFrom(
        PermitTransferFrom calldata permit,
        SignatureTransferDetails calldata details,
        address owner,
        bytes32 witness,
        string calldata witnessTypeString,
        bytes calldata signature
    ) external;
}

/**
 * What facilitators of x402 `upto` call, for tests: it takes of a permit what the facilitator says, for the payee whom the payer
 * signed, and only when the facilitator whom the payer signed says so. Its names and errors are those of the proxy that
 * the package x402-evm knows by its ABI; how it does so was written for this project.
 *
 * NOT FOR A PUBLIC CHAIN: x402UptoPermit2Proxy itself is there.
 */
contract TestUptoProxy {
    struct Witness {
        address to;
        address facilitator;
        uint256 validAfter;
    }

    event Settled();

    error AmountExceedsPermitted();
    error InvalidDestination();
    error InvalidOwner();
    error PaymentTooEarly();
    error UnauthorizedFacilitator();

    // solhint-disable-next-line var-name-mixedcase
    ISignatureTransfer public constant PERMIT2 = ISignatureTransfer(0x000000000022D473030F116dDEE9F6B43aC78BA3);
    bytes32 private constant _WITNESS_TYPE = keccak256("Witness(address to,address facilitator,uint256 validAfter)");
    /// What follows in the type of the permit: EIP-712 has the types that it names in the order of the alphabet.
    string private constant _WITNESS_TYPES =
        "Witness witness)TokenPermissions(address token,uint256 amount)Witness(address to,address facilitator,uint256 validAfter)";

    function settle(
        ISignatureTransfer.PermitTransferFrom calldata permit,
        uint256 amount,
        address owner,
        Witness calldata witness,
        bytes calldata signature
    ) external {
        require(amount <= permit.permitted.amount, AmountExceedsPermitted());
        require(msg.sender == witness.facilitator, UnauthorizedFacilitator());
        require(owner != address(0), InvalidOwner());
        require(witness.to != address(0), InvalidDestination());
        require(block.timestamp >= witness.validAfter, PaymentTooEarly());
        bytes32 hash = keccak256(abi.encode(_WITNESS_TYPE, witness.to, witness.facilitator, witness.validAfter));
        ISignatureTransfer.SignatureTransferDetails memory details =
            ISignatureTransfer.SignatureTransferDetails({to: witness.to, requestedAmount: amount});
        PERMIT2.permitWitnessTransferFrom(permit, details, owner, hash, _WITNESS_TYPES, signature);
        emit Settled();
    }
}
