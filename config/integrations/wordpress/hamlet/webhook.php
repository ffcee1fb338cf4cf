<?php
/** The webhook: Hamlet tells of verdicts and rulings, signed by the Standard Webhooks scheme. Only rulings move a comment here. */

namespace Hamlet;

defined( 'ABSPATH' ) || exit;

const TOLERANCE_SECONDS = 300;

add_action(
	'rest_api_init',
	static function (): void {
		register_rest_route(
			'hamlet/v1',
			'/webhook',
			array(
				'methods'             => 'POST',
				'callback'            => __NAMESPACE__ . '\hear',
				// The signature is the permission.
				'permission_callback' => '__return_true',
			)
		);
	}
);

function is_signed( string $secret, string $id, string $sent, string $signatures, string $body, int $now ): bool {
	$key = base64_decode( (string) preg_replace( '/^whsec_/', '', $secret ), true ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
	if ( false === $key || '' === $key || '' === $id || ! ctype_digit( $sent ) || abs( $now - (int) $sent ) > TOLERANCE_SECONDS ) {
		return false;
	}
	$expected = 'v1,' . base64_encode( hash_hmac( 'sha256', "$id.$sent.$body", $key, true ) ); // phpcs:ignore WordPress.PHP.DiscouragedPHPFunctions
	$ours     = array_filter( explode( ' ', $signatures ), static fn ( string $one ) => hash_equals( $expected, $one ) );
	return array() !== $ours;
}

function hear( \WP_REST_Request $request ): \WP_REST_Response {
	$header = static fn ( string $name ): string => (string) $request->get_header( $name );
	$body   = $request->get_body();
	if ( ! is_signed( setting( 'webhook_secret' ), $header( 'webhook-id' ), $header( 'webhook-timestamp' ), $header( 'webhook-signature' ), $body, time() ) ) {
		return new \WP_REST_Response( array( 'detail' => 'not signed with the secret of the settings, or not lately' ), 401 );
	}
	$document = json_decode( $body, true )['data'] ?? null;
	$ruling   = is_array( $document ) ? (string) ( $document['ruling']['ruling'] ?? '' ) : '';
	// Verdicts came with the answer to the comment.
	if ( '' !== $ruling ) {
		obey( (string) ( $document['id'] ?? '' ), $ruling, $document['ruling'] );
	}
	return new \WP_REST_Response( null, 204 );
}

/** Writes down what a person said and, when enforcing, does it. Twice is as good as once. */
function obey( string $hamlet_id, string $ruling, array $ruled ): void {
	$record = record_of( $hamlet_id );
	$status = array( 'publish' => 'approve', 'spam' => 'spam', 'remove' => 'trash' )[ $ruling ] ?? '';
	if ( ! $record || '' === $status ) {
		return;
	}
	if ( ! $record->person_told ) {
		// A moderator here decided later and Hamlet has not heard of it: that one stands, and is on its way.
		return;
	}
	$id = (int) $record->comment_id;
	change_record( $id, array( 'person' => $ruling, 'person_name' => mb_substr( (string) ( $ruled['by'] ?? '' ), 0, 80 ) ) );
	$stands = array( 'approved' => 'approve', 'spam' => 'spam', 'trash' => 'trash' )[ (string) wp_get_comment_status( $id ) ] ?? '';
	if ( enforces() && get_comment( $id ) && $stands !== $status ) {
		set_status( $id, $status );
	}
}
